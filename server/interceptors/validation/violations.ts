// Tells a client which rules its message breaks: in words, and as google.rpc.BadRequest.
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { Violation } from "@bufbuild/protovalidate";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { shorten } from "../../quote.js";
import type { Violations } from "./validators.js";

/** Violations in the message of the error. */
const inMessage = 3;
/** Violations in the detail. In gRPC it is in a trailer, and clients may accept no more than 8 KiB of them. */
const inDetail = 16;
const descriptionLength = 200;

/** The longest `reason` of google.rpc.BadRequest. */
const reasonLength = 63;

/** `invalid_argument` with the first violations in protovalidate's words, and the field of each in a detail. */
export function toBadRequest({ found, isPart }: Violations): ConnectError {
  const fieldViolations = found.slice(0, inDetail).map(toFieldViolation);
  const detail = { desc: BadRequestSchema, value: { fieldViolations } };
  const lines = found.slice(0, inMessage).map((violation) => shorten(String(violation), descriptionLength));
  const more = found.length - lines.length;
  if (isPart) lines.push("maybe more violations");
  else if (more > 0) lines.push(`${more} more violation${more === 1 ? "" : "s"}`);
  return new ConnectError(lines.join("; "), Code.InvalidArgument, undefined, [detail]);
}

function toFieldViolation({ field, message, ruleId }: Violation) {
  return {
    field: shorten(pathToString(field)),
    description: shorten(message, descriptionLength),
    reason: toReason(ruleId),
  };
}

/** `string.min_len` → `STRING_MIN_LEN`, the form that google.rpc.BadRequest asks for. Empty for other ids, such as expressions. */
function toReason(ruleId: string): string {
  const isName = /^[A-Za-z][\w.-]*\w$/.test(ruleId) && ruleId.length <= reasonLength;
  return isName ? ruleId.toUpperCase().replaceAll(/[^A-Z\d]+/g, "_") : "";
}
