// What the files grpc.ts, grpc-web.ts and connect.ts say of their protocol. The same nouns in each.
import type { OutgoingHttpHeaders } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import type { ResponseMetadata } from "../call/call.js";
import type { MethodOptions, RpcProtocol } from "../call/method.js";

/** The end of a response in envelopes. */
export interface Ending {
  /** An envelope that follows the last message in the body. */
  readonly envelope?: Buffer;
  /** HTTP trailers. */
  readonly trailers?: OutgoingHttpHeaders;
}

/** How one protocol puts calls in envelopes on the wire. */
export interface EnvelopeWire {
  readonly protocol: RpcProtocol;
  /** Header that names the compression of messages, in both directions. */
  readonly encodingHeader: string;
  /** Header of the request that lists the compressions its sender accepts, spelled as in error texts. */
  readonly acceptEncodingHeader: string;
  /** Flag of an envelope in a request that carries no message and is skipped; 0 if the protocol has none. */
  readonly skippedFlag: number;
  /** Whether the status goes into HTTP trailers. */
  readonly hasTrailers: boolean;
  /** Trailers as a handler finds them. */
  readonly initialTrailer: OutgoingHttpHeaders;
  /** The end of the response: status, and the trailers that the handler has set. Changes nothing. */
  end(metadata: ResponseMetadata, error: ConnectError | undefined, options: MethodOptions): Ending;
  /**
   * The end of a response that another server has sent as gRPC.
   *
   * @param trailers metadata, and the status as it was sent
   * @param error the status, with that metadata; undefined for OK
   */
  pass(trailers: OutgoingHttpHeaders, error: ConnectError | undefined, options: MethodOptions): Ending;
}
