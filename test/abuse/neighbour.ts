// Another client of a server under attack: calls again and again, on connections of its own, and checks every response.
import { setTimeout as delay } from "node:timers/promises";
import { envelope, openEnvelopes } from "../support/envelopes.js";
import { openConnection, openHttp2 } from "../support/http.js";

/** Calls that go on until they are stopped. */
interface Neighbour {
  /** Resolves after `count` more correct responses. Rejects with the first wrong one. */
  more(count: number): Promise<void>;
  /** Stops. Rejects if a response was wrong. Resolves with all calls. */
  stop(): Promise<readonly TimedCall[]>;
}

/** A call that had its response, in milliseconds of `performance.now()`. */
export interface TimedCall {
  readonly startMs: number;
  readonly endMs: number;
}

const path = "/manywire.test.v1.TestService/Unary";
const pauseMs = 5;
/** The longest that a call may take while the server is busy with an attack. */
const defaultPatienceMs = 5000;

type Call = (text: string) => Promise<string>;

/** Calls over gRPC on HTTP/2. */
export async function openNeighbour2(url: string, patienceMs?: number): Promise<Neighbour> {
  const connection = await openHttp2(url);
  const call = async (text: string) => {
    const body = envelope(JSON.stringify({ text }));
    const answer = await connection.request({ path, headers: { "content-type": "application/grpc+json" }, body });
    if (answer.trailers["grpc-status"] !== "0") throw new Error(`status ${answer.trailers["grpc-status"]}`);
    return openEnvelopes(answer.body)
      .map(({ data }) => data.toString())
      .join();
  };
  return keepCalling("HTTP/2", call, async () => connection[Symbol.asyncDispose](), patienceMs);
}

/** Calls over Connect on one connection of HTTP/1.1. */
export async function openNeighbour1(url: string, patienceMs?: number): Promise<Neighbour> {
  const connection = openConnection(url, "1.1");
  const call = async (text: string) => {
    const headers = { "content-type": "application/json" };
    return (await connection.request({ path, headers, body: JSON.stringify({ text }) })).text;
  };
  return keepCalling("HTTP/1.1", call, async () => connection[Symbol.asyncDispose](), patienceMs);
}

function keepCalling(
  name: string,
  call: Call,
  close: () => Promise<void>,
  patienceMs: number = defaultPatienceMs,
): Neighbour {
  const calls: TimedCall[] = [];
  let isStopped = false;
  const step = async () => {
    const text = `${name} ${calls.length}`;
    const startMs = performance.now();
    const late = delay(patienceMs, "none in time", { ref: false });
    const found = await Promise.race([call(text), late]).catch((error: Error) => `${error}`);
    const endMs = performance.now();
    const expected = JSON.stringify({ text });
    if (found !== expected) throw new Error(`the neighbour on ${name} expected ${expected}, found ${found}`);
    calls.push({ startMs, endMs });
  };
  const calling = (async () => {
    while (!isStopped) {
      await step();
      await delay(pauseMs);
    }
  })();
  calling.catch(() => {});
  return {
    async more(count) {
      const goal = calls.length + count;
      while (calls.length < goal) {
        if (isStopped) throw new Error("stopped");
        await Promise.race([calling, delay(pauseMs)]);
      }
    },
    async stop() {
      isStopped = true;
      await calling.finally(close);
      return calls;
    },
  };
}
