// gRPC-Web: messages in envelopes, the trailers in a last envelope of their own. Its text variant is the same in base64.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md
import { setTrailerStatus, trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { encodeEnvelope } from "./envelope.js";
import type { Ending, EnvelopeWire } from "./wire.js";

const ok: Ending = { envelope: encodeEnvelope(trailerFlag, Buffer.from("grpc-status: 0\r\n")) };

export const grpcWeb: EnvelopeWire = {
  protocol: "grpc-web",
  encodingHeader: "grpc-encoding",
  acceptEncodingHeader: "Grpc-Accept-Encoding",
  skippedFlag: trailerFlag,
  hasTrailers: false,
  initialTrailer: { "grpc-status": "0" },
  end({ responseTrailer }, error) {
    if (error === undefined && !responseTrailer.isTouched) return ok;
    if (error !== undefined) setTrailerStatus(responseTrailer, error);
    return { envelope: encodeEnvelope(trailerFlag, trailerSerialize(responseTrailer)) };
  },
};
