// Options of a server whose services are served here.
import type { JsonValue } from "@bufbuild/protobuf";
import type { ClientTlsOptions } from "../../client/http2/open-socket.js";
import type { PoolOptions } from "../../client/http2/pool-options.js";

export interface UpstreamOptions extends PoolOptions {
  /** Where it listens: `localhost:50051`, `http://…`, `https://…`, or `unix:/path`. */
  readonly url: string;
  /** For `https:`: what to trust, and what to show. */
  readonly tls?: ClientTlsOptions | undefined;
  /**
   * A serialised `google.protobuf.FileDescriptorSet` with services. They are served at once, and as the set defines them. Those
   * that only the server's reflection has are added when it is read. A server without reflection needs none then.
   */
  readonly descriptorSet?: Uint8Array | undefined;
  /** Whether to ask the server's reflection for services. `false` needs `descriptorSet`. Default true. */
  readonly reflection?: boolean | undefined;
  /**
   * Path of a file that keeps the schema that reflection gave last. It is served after a restart until the server can be asked.
   * Several upstreams may share one. `createServer` throws if the file cannot be written.
   */
  readonly schemaCache?: string | undefined;
  /** Full names of the services to serve. Default: all. */
  readonly services?: readonly string[] | undefined;
  /** Maximum size of a reply message in bytes, after decompression. Default 4 MiB. */
  readonly readMaxBytes?: number | undefined;
  /**
   * Whether calls of methods that no schema has go on to it, too: over gRPC and gRPC-Web, whose messages pass as they come. Only
   * for a single upstream, without `services`, and without interceptors, which need messages. Default false.
   */
  readonly passUnknownMethods?: boolean | undefined;
  /**
   * gRPC's service config as data: timeouts, retries and waiting by method, and load balancing. Without a retry policy, only
   * what the server has surely not processed is sent again.
   */
  readonly serviceConfig?: JsonValue | undefined;
}
