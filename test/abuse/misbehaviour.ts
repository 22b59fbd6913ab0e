// Calls of the rude handlers of `support/process`, and their outcomes.
import { expect } from "vitest";
import { envelope } from "../support/envelopes.js";
import type { RawRequest } from "../support/http.js";
import { type Attempt, attempt } from "./attempt.js";
import type { Victim } from "./victim.js";

/** A call of a handler (by name) or through an interceptor (by name). */
export interface RudeCall {
  readonly method: "Unary" | "ServerStream";
  readonly handler?: string;
  readonly interceptor?: string;
  /** The expected code. Default: INTERNAL, the code of unexpected errors. */
  readonly outcome?: RegExp | undefined;
  /** A compression that the client accepts. Default none. */
  readonly accepts?: string;
  /** The HTTP versions to call it on. Default both. */
  readonly httpVersions?: readonly ("1.1" | "2")[];
}

const wires = ["connect", "grpc", "grpc-web"] as const;
/** Long enough for calls side by side to end by themselves on a busy machine. */
const deadlineMs = 250;
const atOnce = 3;
const internal = /^13$/;

/** Makes every call in every protocol and HTTP version. */
export async function misbehave(victim: Victim, calls: readonly RudeCall[]): Promise<void> {
  await victim.withstand(async (url) => {
    const wrong: string[] = [];
    for (let start = 0; start < calls.length; start += atOnce) {
      const found = await Promise.all(calls.slice(start, start + atOnce).map((call) => wrongOutcomes(url, call)));
      wrong.push(...found.flat());
    }
    expect(wrong).toEqual([]);
  });
}

/** Makes a call in every protocol and HTTP version. Returns a line for each outcome that is not the expected one. */
async function wrongOutcomes(url: string, call: RudeCall): Promise<string[]> {
  const { method, handler = "", interceptor = "", outcome: expected = internal, httpVersions = ["1.1", "2"] } = call;
  const lines = httpVersions.flatMap((httpVersion) =>
    wires.map(async (wire) => {
      const outcome = await outcomeOf(url, call, wire, httpVersion);
      return expected.test(outcome)
        ? []
        : `${method} ${handler}${interceptor}, ${wire} on HTTP/${httpVersion}: ${outcome}`;
    }),
  );
  return (await Promise.all(lines)).flat();
}

async function outcomeOf(url: string, call: RudeCall, wire: (typeof wires)[number], httpVersion: "1.1" | "2") {
  return describeAttempt(await attempt(url, toRequest(call, wire, httpVersion)));
}

function toRequest(
  { method, handler = "", interceptor = "", accepts = "identity" }: RudeCall,
  wire: (typeof wires)[number],
  httpVersion: "1.1" | "2",
): RawRequest {
  const isPlain = wire === "connect" && method === "Unary";
  const body = JSON.stringify({ text: handler });
  return {
    httpVersion,
    path: `/manywire.test.v1.TestService/${method}`,
    headers: {
      "grpc-timeout": `${deadlineMs}m`,
      "connect-timeout-ms": deadlineMs,
      "content-type": isPlain ? "application/json" : `application/${wire}+json`,
      "x-rude": interceptor,
      [`${isPlain ? "" : wire === "connect" ? "connect-" : "grpc-"}accept-encoding`]: accepts,
    },
    body: isPlain ? body : envelope(body),
  };
}

/** Numbers of codes, by the names that Connect has for them. */
const numbers: Readonly<Record<string, string>> = {
  unknown: "2",
  invalid_argument: "3",
  deadline_exceeded: "4",
  unimplemented: "12",
  internal: "13",
};

/** The number of the code; "cut" or "nothing" if there is no whole response; "unclear" if it says no code. */
function describeAttempt(attempted: Attempt): string {
  if (attempted.kind !== "answered") return attempted.kind;
  const { headers, trailers, body, status } = attempted.answer;
  const text = body.toString("latin1");
  if (text.includes("secret")) return "told what the handler kept to itself";
  const inHead = trailers["grpc-status"] ?? headers["grpc-status"];
  const code = inHead ?? /grpc-status: (-?\w+)/.exec(text)?.[1] ?? /"code":"(\w+)"/.exec(text)?.[1];
  if (code !== undefined) return numbers[String(code)] ?? String(code);
  const isWhole = headers["content-type"] === "application/json" || text.endsWith("\x02\0\0\0\x02{}");
  return status === 200 && isWhole ? "0" : "unclear";
}
