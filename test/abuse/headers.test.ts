// What can be done to a server with heads of requests: odd values, and more different ones than anybody remembers.
import { describe, expect, test } from "vitest";
import { callFields, opening, unaryPath, wholeData } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { decodeFrames, encodeFrame, encodeHeaders, frameTypes } from "../support/http2-frames.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { useVictim } from "./victim.js";

const getPath = "/manywire.test.v1.TestService/Get";

/** Values that are allowed in a header, and are not what anybody expects there. */
const oddValues = [
  "",
  " ",
  ",",
  ";",
  "=",
  "\u0080\u00ff",
  "\t",
  "a\tb",
  "%",
  "%00",
  "%ff",
  '"',
  "\\",
  "0",
  "-1",
  "1e9",
  "NaN",
  "99999999999999999999",
  "1n",
  "99999999H",
  "999999999H",
  "1",
  "1 2",
  "application/grpc;",
  "application/grpc+",
  "application/json; charset",
  "application/json; charset=utf-16",
  'application/json; charset="utf-8',
  "gzip",
  "gzip,",
  "GZIP",
  "identity",
  "gzip;q=0",
  "*",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\u00e4".repeat(3000),
];
/** Headers that the server itself reads. */
const readHeaders = [
  "content-type",
  "content-encoding",
  "accept-encoding",
  "grpc-encoding",
  "grpc-accept-encoding",
  "connect-content-encoding",
  "connect-accept-encoding",
  "grpc-timeout",
  "connect-timeout-ms",
  "connect-protocol-version",
  "x-echo",
  "te",
  "cookie",
];

/** A request of HTTP/1.1 over gRPC, unless a field says otherwise. */
function request1(fields: Record<string, string>, target: string = unaryPath, verb = "POST"): Buffer {
  const body = verb === "GET" ? Buffer.alloc(0) : envelope("{}");
  const all = { host: "localhost", "content-type": "application/grpc+json", "content-length": body.length, ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${verb} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), body]);
}

/** Counts the responses that came on a connection of HTTP/1.1 from a byte on. */
const answers1 = ({ received }: RawSocket, start: number) =>
  received.toString("latin1", start).split(/HTTP\/1\.1 [2-5]\d\d /).length - 1;

/** Sends requests one after another on one connection of HTTP/1.1 and waits for as many responses. */
async function exchange1(url: string, requests: readonly Buffer[]): Promise<void> {
  await using socket = await openRaw(url);
  for (let start = 0; start < requests.length; start += 50) {
    const some = requests.slice(start, start + 50);
    const readBytes = socket.received.length;
    socket.write(Buffer.concat(some));
    await expect.poll(() => answers1(socket, readBytes), { timeout: 5000, interval: 2 }).toBe(some.length);
  }
}

describe("RPCs", () => {
  const victim = useVictim({ limits: {}, drainTimeoutMs: 2000 });

  test("unusual header values get a response on HTTP/1.1", async () => {
    const requests = readHeaders.flatMap((name) => oddValues.map((value) => request1({ [name]: value })));
    await victim.withstand((url) => exchange1(url, requests));
  });

  test("unusual header values get a response on HTTP/2", async () => {
    await victim.withstand(async (url) => {
      for (const name of readHeaders) {
        await using socket = await openRaw(url);
        const ids = oddValues.map((_, index) => 2 * index + 1);
        const calls = oddValues.map((value, index) => {
          const fields = encodeHeaders(callFields({ "content-type": "application/grpc+json", [name]: value }));
          const id = ids[index] as number;
          return Buffer.concat([encodeFrame(frameTypes.headers, 4, id, fields), wholeData(id, envelope("{}"))]);
        });
        socket.write(Buffer.concat([opening(), ...calls]));
        const answered = () => {
          const frames = decodeFrames(socket.received).filter(({ type }) => type === 1 || type === 3);
          return new Set(frames.map(({ stream }) => stream)).size;
        };
        await expect.poll(answered, { timeout: 5000, interval: 2 }).toBe(ids.length);
      }
    });
  });

  test("5,000 content types leave nothing behind", async () => {
    const types = Array.from({ length: 5000 }, (_, index) => `application/json; a=${index}${"x".repeat(2000)}`);
    await victim.withstand(async (url) =>
      exchange1(
        url,
        types.map((type) => request1({ "content-type": type })),
      ),
    );
  });

  test("2,000 values of compression headers leave nothing behind", async () => {
    const names = ["content-encoding", "accept-encoding", "grpc-encoding", "grpc-accept-encoding"];
    const values = Array.from({ length: 2000 }, (_, index) => `${index}${"x".repeat(500)}`);
    const requests = values.map((value, index) => request1({ [names[index % names.length] as string]: value }));
    await victim.withstand((url) => exchange1(url, requests));
  });

  test("2,000 authorities leave nothing behind", async () => {
    const requests = Array.from({ length: 2000 }, (_, index) =>
      request1({ host: `h${index}${"x".repeat(200)}.example` }),
    );
    await victim.withstand((url) => exchange1(url, requests));
  });

  test("2,000 unknown methods leave nothing behind", async () => {
    const paths = Array.from({ length: 2000 }, (_, index) => `/a.b.${"x".repeat(2000)}${index}/C`);
    await victim.withstand(async (url) =>
      exchange1(
        url,
        paths.map((path) => request1({}, path)),
      ),
    );
  });

  test("any query of a Connect GET gets a response", async () => {
    const long = "a".repeat(12_000);
    const queries = [
      "",
      "?",
      "?&&&&",
      "?=".repeat(3000),
      `?${"a=b&".repeat(3000)}`,
      `?connect=v1&encoding=json&message=${"%7B".repeat(4000)}`,
      `?connect=v1&encoding=json&message=${"%".repeat(4000)}`,
      `?connect=v1&encoding=json&message=%ff%fe`,
      `?connect=v1&encoding=json&base64=1&message=${long}`,
      `?connect=v1&encoding=json&base64=1&message=${"=".repeat(4000)}`,
      `?connect=v1&encoding=json&base64=2&message={}`,
      `?connect=v1&encoding=proto&base64=1&message=${"Cw".repeat(4000)}`,
      `?connect=v1&encoding=proto&compression=gzip&message=${long}`,
      `?connect=v1&encoding=${long}&message={}`,
      `?connect=v1&encoding=__proto__&message={}`,
      `?connect=v1&encoding=json&compression=${long}&message={}`,
      `?connect=v1&encoding=json&message={}&message={}`,
      `?connect=v9&encoding=json&message={}`,
      `?__proto__=1&constructor=2`,
    ];
    const requests = queries.map((query) =>
      request1({ "content-type": "", "content-length": "0" }, getPath + query, "GET"),
    );
    await victim.withstand((url) => exchange1(url, requests));
  });
});
