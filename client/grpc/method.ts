// What is known of a method before it is called: how its messages are read and written, and what all requests have.
import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CommonTransportOptions, Compression } from "@connectrpc/connect/protocol";
import type { PreparedFields } from "../../server/http2/hpack/encoder.js";
import type { CallSettings } from "../call-settings.js";
import { type CodecOptions, createMethodCodec, type MethodCodec } from "../method-codec.js";
import { envelopeHeadBytes, writeEnvelopeHead } from "./envelopes.js";

/** How messages are written. */
export type GrpcMethodOptions = CodecOptions &
  Pick<CommonTransportOptions, "compressMinBytes" | "sendCompression" | "writeMaxBytes">;

export class GrpcMethod {
  readonly desc: DescMethod;
  /** Fields of a request, pseudo-header fields included. */
  readonly fields: PreparedFields;
  readonly settings: CallSettings;
  readonly #options: GrpcMethodOptions;
  readonly #codec: MethodCodec;

  constructor(desc: DescMethod, options: GrpcMethodOptions, fields: PreparedFields, settings: CallSettings) {
    this.desc = desc;
    this.fields = fields;
    this.settings = settings;
    this.#options = options;
    this.#codec = createMethodCodec(desc, options);
  }

  /**
   * Returns a message as it is sent, in its envelope: at once, unless it has to be compressed.
   *
   * @throws ConnectError `internal` if it cannot be written, `resource_exhausted` if it is too large
   */
  encode(message: Message): Uint8Array | Promise<Uint8Array> {
    const bytes = this.#codec.encode(message, envelopeHeadBytes);
    const length = bytes.length - envelopeHeadBytes;
    const { writeMaxBytes, sendCompression, compressMinBytes } = this.#options;
    if (length > writeMaxBytes) {
      const text = `message size ${length} is larger than configured writeMaxBytes ${writeMaxBytes}`;
      throw new ConnectError(text, Code.ResourceExhausted);
    }
    if (sendCompression !== null && length >= compressMinBytes) return compress(bytes, sendCompression);
    writeEnvelopeHead(bytes, false);
    return bytes;
  }

  /** @throws ConnectError if it is not a message of the type */
  decode(data: Uint8Array): Message {
    return this.#codec.decode(data);
  }
}

async function compress(bytes: Uint8Array, { compress }: Compression): Promise<Uint8Array> {
  const data = await compress(bytes.subarray(envelopeHeadBytes));
  const compressed = new Uint8Array(envelopeHeadBytes + data.length);
  compressed.set(data, envelopeHeadBytes);
  writeEnvelopeHead(compressed, true);
  return compressed;
}
