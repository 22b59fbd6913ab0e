// Requests of either HTTP version that are almost right: valid ones with something added, lost, repeated or changed.
import { gzipSync } from "node:zlib";
import { callFields, opening } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { encodeFrame, encodeHeaders } from "../support/http2-frames.js";
import type { Random } from "../support/random.js";

const methods = ["Unary", "Get", "ServerStream", "ClientStream", "BidiStream", "Missing"];
const types = [
  "grpc",
  "grpc+json",
  "grpc-web",
  "grpc-web-text",
  "grpc-web+json",
  "json",
  "proto",
  "connect+json",
  "connect+proto",
];
const fieldNames = [
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-timeout",
  "content-encoding",
  "accept-encoding",
  "connect-timeout-ms",
  "connect-protocol-version",
  "connect-content-encoding",
  "expect",
  "te",
  "connection",
  "x-echo-bin",
];
const fieldValues = [
  "gzip",
  "br",
  "identity",
  "",
  "1",
  "1S",
  "99999999H",
  "0",
  "trailers",
  "close",
  "100-continue",
  "AAA=",
  "\u00ff",
];
/** Words of the grammars, and others. */
const tokens = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  ":",
  ": ",
  ",",
  ";",
  "=",
  "chunked",
  "Transfer-Encoding: chunked\r\n",
  "Content-Length: 0\r\n",
  "Content-Length: 99999999999\r\n",
  "Host: \r\n",
  "Upgrade: h2c\r\n",
  " HTTP/1.1\r\n",
  "0\r\n\r\n",
  "ffffffff\r\n",
  "%00",
  "?connect=v1&encoding=json&message=",
  "\0\0\0\0\0",
  "\xff\xff\xff\xff",
  "{",
  "}",
  '"',
  "[",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/** A request, or several on one connection. */
export function mutatedRequest(random: Random): Buffer {
  const whole = random.chance(0.5) ? request1(random) : connection2(random);
  return random.several(0, 4, () => random.pick(mutations)).reduce((bytes, mutate) => mutate(bytes, random), whole);
}

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const mutations: readonly Mutation[] = [
  function flip(bytes, random) {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function lose(bytes, random) {
    const start = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + random.below(20))]);
  },
  function repeat(bytes, random) {
    const start = random.below(bytes.length + 1);
    const end = start + random.below(60);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
  },
  function insert(bytes, random) {
    const start = random.below(bytes.length + 1);
    const strange = random.chance(0.8) ? Buffer.from(random.pick(tokens), "latin1") : random.bytes(random.below(12));
    return Buffer.concat([bytes.subarray(0, start), strange, bytes.subarray(start)]);
  },
];

function message(random: Random, isJson: boolean): Buffer {
  const request = {
    text: "random",
    count: random.below(3),
    waitMs: random.below(3),
    replyBytes: random.pick([0, 0, 10, 70_000]),
  };
  if (isJson) return Buffer.from(JSON.stringify(request));
  return random.chance(0.7) ? Buffer.from([0x0a, 1, 0x61, 0x18, random.below(128)]) : random.bytes(random.below(30));
}

function body(random: Random, type: string): Buffer {
  const isJson = type.endsWith("json");
  if (type === "json" || type === "proto") return message(random, isJson);
  const messages = random.several(0, 3, () => {
    const data = message(random, isJson);
    const flags = random.pick([0, 0, 0, 1, 2, 0x80, random.below(256)]);
    return envelope((flags & 1) === 1 && random.chance(0.7) ? gzipSync(data) : data, flags);
  });
  const whole = Buffer.concat(messages);
  return type === "grpc-web-text" ? Buffer.from(whole.toString("base64")) : whole;
}

const fields = (random: Random) =>
  random.several(0, 2, () => [random.pick(fieldNames), random.pick(fieldValues)] as const);
const path = (random: Random) => `/manywire.test.v1.TestService/${random.pick(methods)}`;

function request1(random: Random): Buffer {
  const type = random.pick(types);
  const content = body(random, type);
  const isChunked = random.chance(0.4);
  const length = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${content.length}`;
  const chunk = Buffer.concat([
    Buffer.from(`${content.length.toString(16)}\r\n`),
    content,
    Buffer.from("\r\n0\r\n\r\n"),
  ]);
  const lines = fields(random).map(([name, value]) => `${name}: ${value}\r\n`);
  const isRead = random.chance(0.15);
  const line = isRead ? `GET ${path(random)}?connect=v1&encoding=json&message=%7B%7D` : `POST ${path(random)}`;
  const head = `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/${type}\r\n${lines.join("")}${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), isChunked ? chunk : content]);
}

function connection2(random: Random): Buffer {
  const frames = random.several(1, 4, (index) => stream2(random, 2 * index + 1)).flat();
  if (random.chance(0.3)) frames.splice(random.below(frames.length), 0, strangeFrame(random));
  return Buffer.concat([opening(random.chance(0.2) ? [[random.below(8), random.below(2 ** 31)]] : []), ...frames]);
}

function stream2(random: Random, id: number): Buffer[] {
  const type = random.pick(types);
  const head = { ":path": path(random), "content-type": `application/${type}`, ...Object.fromEntries(fields(random)) };
  const content = body(random, type);
  const middle = random.below(content.length + 1);
  const frames = [
    encodeFrame(1, 4, id, encodeHeaders(callFields(head))),
    encodeFrame(0, 0, id, content.subarray(0, middle)),
    encodeFrame(0, random.chance(0.8) ? 1 : 0, id, content.subarray(middle)),
  ];
  if (random.chance(0.3)) frames.splice(1 + random.below(3), 0, encodeFrame(3, 0, id, random.bytes(4)));
  return frames;
}

function strangeFrame(random: Random): Buffer {
  return encodeFrame(
    random.below(12),
    random.below(256),
    random.below(8),
    random.bytes(random.pick([0, 4, 5, 6, 8, 40])),
  );
}
