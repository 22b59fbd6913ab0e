// gRPC: messages in envelopes, the status in HTTP trailers.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-HTTP2.md
import { toNodeHeaders } from "../call/headers.js";
import { toErrorTrailers } from "./grpc-status.js";
import type { Ending, EnvelopeWire } from "./wire.js";

const initialTrailer = Object.freeze({ "grpc-status": "0" });
const ok: Ending = { trailers: initialTrailer };

export const grpc: EnvelopeWire = {
  protocol: "grpc",
  encodingHeader: "grpc-encoding",
  acceptEncodingHeader: "Grpc-Accept-Encoding",
  skippedFlag: 0,
  hasTrailers: true,
  initialTrailer,
  end({ responseTrailer }, error) {
    if (error !== undefined) return { trailers: toErrorTrailers(responseTrailer, error) };
    return responseTrailer.isTouched ? { trailers: toNodeHeaders(responseTrailer) } : ok;
  },
  pass: (trailers) => ({ trailers }),
};
