// Random bytes that a client of HTTP/1.1 might send, or nearly: requests one after the other, with a mistake here and there.
import type { Random } from "../../support/random.js";

const methods = ["GET", "POST", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"];
const targets = [
  "/",
  "/a/b",
  "/a?b=c",
  "/a%20b",
  "//x",
  "/a?b?c",
  "http://x/y",
  "*",
  "/\xe4",
  "/a\tb",
  "/a b",
  "x",
  "/a#b",
];
const fields = [
  ...["Host: a", "Accept: */*", "X-A: 1", "x-a: 2", "Cookie: a=b", "Cookie: c=d", "Empty:", "Name:value", "T: a\tb"],
  ...[
    "Connection: close",
    "Connection: keep-alive",
    "Connection: x, close",
    "User-Agent: x",
    "User-Agent: y",
    "X:  two  spaces  ",
    "X: \xe4\xff",
  ],
];
const oddFields = [
  ...["Content-Length: 5", "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: 0x5", "Content-Length: -1"],
  ...["Content-Length: 99999999999999999999", "Content-Length:", "content-length: 3", "Content-Length : 3"],
  ...["Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip"],
  ...[
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding:\x0bchunked",
    "Transfer-Encoding:",
  ],
  ...["Transfer-Encoding : chunked", "transfer-encoding: CHUNKED", " folded: x", "\tfolded", "No colon", ": no name"],
  ...[
    "X: a\rb",
    "X: a\0b",
    "X: a\nb",
    "X y: z",
    "X\xe4: z",
    "X(: z",
    "Expect: 100-continue",
    "Expect: x",
    "Upgrade: h2c",
  ],
];
const versions = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/1.2",
  "http/1.1",
  "HTTP/1.1 ",
  "HTTP/01.1",
];
const chunkHeads = [
  "5",
  "5",
  "5",
  "05",
  "5;a=b",
  "5 ;a",
  '5;a="b;c"',
  "0x5",
  "-5",
  "",
  " 5",
  "5 ",
  "fffffffffffffffff",
  "5;\xe4",
  "5\t",
  "G",
  ...["5;", "5;a=", "5;=b", "5;a b", "5;a ", '5;a="b', '5;a="b"c', '5;a="b" ', '5;a="\\""', "5; a=b", "5;a=b;c;d=e"],
];
const lineEnds = [
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\n",
  "\r",
  "\r\r\n",
  "\r\n\r\n",
  " \r\n",
  "",
];

/** Draws the bytes of a connection. */
export function drawBytes(random: Random): Buffer {
  const requests = random.chance(0.5) ? drawAlike(random) : random.several(1, 3, () => drawRequest(random));
  const text = requests.join("");
  const bytes = Buffer.from(text, "latin1");
  // What no list thinks of.
  if (random.chance(0.2)) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** Draws where a connection pauses: the bytes in several parts. */
export function drawParts(random: Random, bytes: Buffer): Buffer[] {
  const cuts = random.several(0, 4, () => random.below(bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length));
}

function drawRequest(random: Random): string {
  // Most of a request is right, or nothing behind a mistake would ever be seen.
  const mistakes = random.pick([0, 0, 0.02, 0.1]);
  const end = () => (random.chance(mistakes) ? random.pick(lineEnds) : "\r\n");
  const or = (right: string, wrong: readonly string[]) => (random.chance(mistakes) ? random.pick(wrong) : right);
  const line = `${random.pick(methods)} ${or("/a", targets)} ${or("HTTP/1.1", versions)}`;
  const more = random.several(0, 3, () => or(random.pick(fields), oddFields));
  const [framing, body] = drawBody(random, or, end);
  const head = [line, "Host: a", ...more, ...framing].map((one) => one + end()).join("");
  return `${head}${end()}${body}`;
}

const values = ["", "a", "b", "some longer value", "\xe4", " a ", "a, b"];
const oddValues = [
  "a\nb",
  "a\rb",
  "a\0",
  "5",
  "+5",
  "chunked",
  "close",
  "100-continue",
  "a\r\nX-New: b",
  "\r\n",
  "a\r",
];
const special = ["Cookie", "Host", "Connection", "Expect", "Transfer-Encoding", "Content-Length"];

/** Requests that differ in a few lines only, as those of one client do. */
function drawAlike(random: Random): string[] {
  const mistakes = random.pick([0, 0, 0.05]);
  const constant = random.several(0, 4, () => random.pick(fields));
  const names = random.several(0, 3, () => (random.chance(0.9) ? "X-Id" : random.pick(special)));
  const isTargetSame = random.chance(0.7);
  return random.several(2, 5, () => {
    const body = "hello".slice(0, random.below(6));
    const or = (right: string, wrong: readonly string[]) => (random.chance(mistakes) ? random.pick(wrong) : right);
    const line = `POST ${isTargetSame ? "/a" : or(random.pick(["/a", "/b"]), targets)} ${or("HTTP/1.1", versions)}`;
    const own = names.map((name) => `${name}: ${or(random.pick(values), oddValues)}`);
    const length = or(`Content-Length: ${body.length}`, oddFields);
    return [line, "Host: a", ...own, ...constant, length, "", body].join("\r\n");
  });
}

function drawBody(
  random: Random,
  or: (right: string, wrong: readonly string[]) => string,
  end: () => string,
): [fields: string[], body: string] {
  switch (random.below(4)) {
    case 0:
      return [[], ""];
    case 1:
      return [["Content-Length: 5"], "hello"];
    case 2:
      return [["Content-Length: 0"], ""];
    default: {
      const chunks = random.several(0, 2, () => `${or("5", chunkHeads)}${end()}hello${end()}`);
      const trailers = random.chance(0.2) ? `${or("X-T: 1", oddFields)}${end()}` : "";
      return [["Transfer-Encoding: chunked"], `${chunks.join("")}0${end()}${trailers}${end()}`];
    }
  }
}
