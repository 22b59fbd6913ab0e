// Calls of a load, of several protocols and kinds, with responses that can be checked.
import { envelope, openEnvelopes } from "../envelopes.js";
import type { Call } from "./callers.js";

const service = "/manywire.test.v1.TestService";

/**
 * What comes back of messages in envelopes, as JSON; the last envelope of Connect and gRPC-Web included. Also what is no
 * envelope, for the caller to read.
 */
function texts(body: Buffer): string[] {
  try {
    return openEnvelopes(body).map(({ data }) => data.toString());
  } catch {
    return [body.toString()];
  }
}

/** How long a handler works on a call, in milliseconds: some not at all, some for a while. */
const workMs = (index: number) => (index % 4) * 40;

/** gRPC, one request and one reply. */
export function grpcCall(index: number): Call {
  const text = `grpc ${index}`;
  return {
    path: `${service}/Unary`,
    headers: { "content-type": "application/grpc+json", te: "trailers" },
    body: [envelope(JSON.stringify({ text, waitMs: workMs(index) }))],
    findFault: ({ body, status }) => expectSame([status, ...texts(body)], ["0", JSON.stringify({ text })]),
  };
}

/** Connect, one request and one reply. */
export function connectCall(index: number): Call {
  const text = `connect ${index}`;
  return {
    path: `${service}/Unary`,
    headers: { "content-type": "application/json" },
    body: [Buffer.from(JSON.stringify({ text, waitMs: workMs(index) }))],
    findFault: ({ body, status }) => expectSame([status, body.toString()], ["200", JSON.stringify({ text })]),
  };
}

/** The routes of `restCall`, as `httpRules`. */
export const restRules = { rules: [{ selector: "manywire.test.v1.TestService.Unary", post: "/v1/unary", body: "*" }] };

/** REST, one request and one reply. */
export function restCall(index: number): Call {
  return { ...connectCall(index), path: "/v1/unary" };
}

/** gRPC-Web, one request and three replies. */
export function webStreamCall(index: number): Call {
  const text = `web ${index}`;
  const replies = [{ text }, { text, index: 1 }, { text, index: 2 }].map((reply) => JSON.stringify(reply));
  return {
    path: `${service}/ServerStream`,
    headers: { "content-type": "application/grpc-web+json" },
    body: [envelope(JSON.stringify({ text, count: 3, waitMs: workMs(index) / 2 }))],
    findFault: ({ body }) => expectSame(texts(body), [...replies, "grpc-status: 0\r\n"]),
  };
}

/** Connect, three requests that come slowly, and one reply. */
export function connectUploadCall(): Call {
  return {
    path: `${service}/ClientStream`,
    headers: { "content-type": "application/connect+json" },
    body: Array(3).fill(envelope("{}")) as Buffer[],
    pauseMs: 25,
    findFault: ({ body }) => expectSame(texts(body), ['{"index":3}', "{}"]),
  };
}

/** gRPC, three requests that come slowly, each with its reply. */
export function grpcDialogCall(index: number): Call {
  const text = `dialog ${index}`;
  const reply = JSON.stringify({ text });
  return {
    path: `${service}/BidiStream`,
    headers: { "content-type": "application/grpc+json", te: "trailers" },
    body: Array(3).fill(envelope(JSON.stringify({ text, waitMs: 5 }))) as Buffer[],
    pauseMs: 25,
    findFault: ({ body, status }) => expectSame([status, ...texts(body)], ["0", reply, reply, reply]),
  };
}

function expectSame(found: readonly unknown[], expected: readonly string[]): string | undefined {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  return one === other ? undefined : `expected ${other}, found ${one}`;
}
