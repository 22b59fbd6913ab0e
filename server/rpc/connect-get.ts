// The message of a Connect GET, which is in the query. https://connectrpc.com/docs/protocol#unary-get-request
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

/** @throws ConnectError `invalid_argument` if the message is said to be base64 and is not */
export function messageOf(query: URLSearchParams): Uint8Array {
  const message = query.get("message") ?? "";
  if (query.get("base64") !== "1") return Buffer.from(message);
  try {
    return base64Decode(message);
  } catch (cause) {
    const text = 'query parameter "message": expected base64';
    throw new ConnectError(text, Code.InvalidArgument, undefined, undefined, cause);
  }
}
