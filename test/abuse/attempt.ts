// Requests whose responses may be incomplete, malformed or missing.
import http, { type IncomingMessage } from "node:http";
import { openHttp2, type RawAnswer, type RawRequest } from "../support/http.js";

/** What came of a request. */
export type Attempt = { kind: "answered"; answer: RawAnswer } | { kind: "cut" } | { kind: "nothing" };

const patienceMs = 10_000;

/** Sends a request on a connection of its own. "cut" is an incomplete or malformed response, "nothing" is none in time. */
export async function attempt(url: string, { httpVersion = "1.1", ...request }: RawRequest): Promise<Attempt> {
  const ending = new AbortController();
  const nothing = new Promise<Attempt>((resolve) => {
    const timer = setTimeout(resolve, patienceMs, { kind: "nothing" });
    ending.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  const send = httpVersion === "1.1" ? send1 : send2;
  const answered = send(url, request, ending.signal).then(
    (answer): Attempt => ({ kind: "answered", answer }),
    (): Attempt => ({ kind: "cut" }),
  );
  try {
    return await Promise.race([answered, nothing]);
  } finally {
    ending.abort();
  }
}

async function send1(url: string, { path, headers = {}, body }: RawRequest, signal: AbortSignal): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(new URL(path, url), { method: "POST", agent: false, headers, signal });
    // An error may follow long after the response: too many bytes.
    outgoing.on("error", reject);
    outgoing.on("response", (incoming: IncomingMessage) => {
      const chunks: Buffer[] = [];
      incoming.on("error", reject).on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const whole = Buffer.concat(chunks);
        const { statusCode: status = 0, headers, trailers } = incoming;
        resolve({ status, headers, trailers, body: whole, text: whole.toString() });
      });
    });
    outgoing.end(body as string | Uint8Array);
  });
}

async function send2(url: string, request: RawRequest, signal: AbortSignal): Promise<RawAnswer> {
  const connection = await openHttp2(url);
  const close = () => void connection[Symbol.asyncDispose]();
  signal.addEventListener("abort", close);
  return connection.request(request).finally(close);
}
