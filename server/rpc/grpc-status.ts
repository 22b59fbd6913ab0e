// The status of gRPC and gRPC-Web as trailers: `grpc-status`, `grpc-message` and `grpc-status-details-bin`.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-HTTP2.md#responses
import type { OutgoingHttpHeaders } from "node:http";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type ConnectError, encodeBinaryHeader } from "@connectrpc/connect";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { toNodeHeaders } from "../call/headers.js";
import { shorten } from "../quote.js";

/** Maximum length of `grpc-message`, in bytes: gRPC's C core accepts 8 KiB of trailers without question. */
const maxMessageBytes = 8 * 1024;

/** Maximum length of the message that is repeated beside the details, in bytes. */
const maxRepeatedBytes = 2 * 1024;

/** Trailers as a handler has set them, with the status of an error and its metadata. `keepsLists` as in `toNodeHeaders`. */
export function toErrorTrailers(
  responseTrailer: Headers,
  error: ConnectError,
  keepsLists = false,
): OutgoingHttpHeaders {
  const trailer = new Headers(responseTrailer);
  error.metadata.forEach((value, name) => {
    trailer.append(name, value);
  });
  trailer.set("grpc-status", String(error.code));
  trailer.set("grpc-message", encodeMessage(error.rawMessage));
  if (error.details.length > 0) trailer.set("grpc-status-details-bin", encodeDetails(error));
  return toNodeHeaders(trailer, keepsLists);
}

/** Percent-encodes a message, and shortens it at the boundary of a character if it is too long. */
export function encodeMessage(message: string): string {
  return shortenEncoded(encodeURIComponent(shorten(message, maxMessageBytes)));
}

const incompleteCharacter = /%(?:[CD].|E.(?:%[89AB].)?|F.(?:%[89AB].){0,2})$/;
const ellipsis = encodeURIComponent("…");

/** Shortens a percent-encoded message at the boundary of a character if it is too long. */
export function shortenEncoded(encoded: string): string {
  if (encoded.length <= maxMessageBytes) return encoded;
  const cut = encoded.slice(0, maxMessageBytes - ellipsis.length);
  // An escape sequence that is not whole, and before it a character whose bytes are not: a first byte is %C2 to %F4.
  return cut.replace(/%.?$/, "").replace(incompleteCharacter, "") + ellipsis;
}

/** A UTF-16 unit has at most three bytes in UTF-8. */
function repeatable(message: string): string {
  return Buffer.byteLength(message) > maxRepeatedBytes ? shorten(message, Math.floor(maxRepeatedBytes / 3)) : message;
}

function encodeDetails({ code, rawMessage, details }: ConnectError): string {
  const status = create(StatusSchema, {
    code,
    message: repeatable(rawMessage),
    details: details.map((detail) =>
      "desc" in detail
        ? anyPack(detail.desc, create(detail.desc, detail.value))
        : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
    ),
  });
  return encodeBinaryHeader(status, StatusSchema);
}
