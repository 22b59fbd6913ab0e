// gRPC-Web: messages in envelopes, the trailers in a last envelope of their own. Its text variant is the same in base64.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md
import type { OutgoingHttpHeaders } from "node:http";
import { trailerFlag } from "@connectrpc/connect/protocol-grpc-web";
import { toNodeHeaders } from "../call/headers.js";
import { encodeEnvelope } from "./envelope.js";
import { toErrorTrailers } from "./grpc-status.js";
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
    if (error !== undefined) return toEnding(toErrorTrailers(responseTrailer, error, true));
    return responseTrailer.isTouched ? toEnding(toNodeHeaders(responseTrailer, true)) : ok;
  },
  pass: toEnding,
};

function toEnding(trailers: OutgoingHttpHeaders): Ending {
  const lines = Object.entries(trailers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}\r\n`),
  );
  return { envelope: encodeEnvelope(trailerFlag, Buffer.from(lines.join(""))) };
}
