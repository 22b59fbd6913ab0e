// gRPC of our own and of Connect: equal replies and errors for the same response.
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createTransport as createConnectGrpc } from "@connectrpc/connect/protocol-grpc";
import { compressionGzip } from "@connectrpc/connect-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseBaseUrl } from "../../../../client/base-url.js";
import { openHttp2 } from "../../../../client/connections.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { data, fieldsOf, headers } from "../../../support/http2-peer.js";
import { type Peer, startScriptedServer } from "./scripted-server.js";

const lanes = ["own", "connect"] as const;

const options = {
  interceptors: [],
  useBinaryFormat: true,
  acceptCompression: [compressionGzip],
  sendCompression: null,
  compressMinBytes: 1024,
  readMaxBytes: 1000,
  writeMaxBytes: 1000,
};

function open(lane: (typeof lanes)[number], url: string): Client<typeof TestService> {
  const { httpClient, openGrpc, close } = openHttp2(parseBaseUrl(url), {});
  onTestFinished(close);
  const common = { ...options, baseUrl: url };
  const transport: Transport | undefined =
    lane === "own" ? openGrpc?.(common) : createConnectGrpc({ ...common, httpClient, useBinaryFormat: true });
  if (transport === undefined) throw new Error("expected a transport");
  return createClient(TestService, transport);
}

type Lines = readonly (readonly [string, string])[];

interface Response {
  readonly title: string;
  /** Of the head, after `:status: 200`. */
  readonly status?: string;
  readonly head?: Lines;
  readonly body?: string;
  /** Undefined: the response ends without. */
  readonly trailers?: Lines;
  /** Whether END_STREAM is on the head. */
  readonly isHeadOnly?: boolean;
}

const grpc: Lines = [["content-type", "application/grpc+proto"]];
const ok: Lines = [["grpc-status", "0"]];
const empty = "\0\0\0\0\0";
/** A reply with the text "hi". */
const hi = "\0\0\0\0\x04\x0a\x02hi";
const gzip = String.fromCharCode(...(await compressionGzip.compress(Buffer.from("\x0a\x02hi"))));
const gzipped = `\x01\0\0\0${String.fromCharCode(gzip.length)}${gzip}`;
/** A google.rpc.Status of code 5, message "no", with a detail of the type "t". */
const status = Buffer.from("\x08\x05\x12\x02no\x1a\x05\x0a\x03a/t").toString("base64").replace(/=+$/, "");

const responses: Response[] = [
  { title: "one message", head: grpc, body: hi, trailers: ok },
  { title: "application/grpc", head: [["content-type", "application/grpc"]], body: hi, trailers: ok },
  { title: "an empty message", head: grpc, body: empty, trailers: ok },
  { title: "metadata", head: [...grpc, ["a", "1"], ["a", "2"]], body: hi, trailers: [...ok, ["b-bin", "AAE"]] },
  { title: "no message", head: grpc, trailers: ok },
  { title: "two messages", head: grpc, body: hi + hi, trailers: ok },
  { title: "no trailers", head: grpc, body: hi },
  { title: "trailers without a status", head: grpc, body: hi, trailers: [["a", "b"]] },
  {
    title: "a status and no message",
    head: grpc,
    trailers: [
      ["grpc-status", "5"],
      ["grpc-message", "no%20%e2%82%ac"],
    ],
  },
  {
    title: "a status after a message",
    head: [...grpc, ["a", "1"]],
    body: hi,
    trailers: [
      ["grpc-status", "5"],
      ["b", "2"],
    ],
  },
  {
    title: "details",
    head: grpc,
    trailers: [
      ["grpc-status", "5"],
      ["grpc-status-details-bin", status],
    ],
  },
  {
    title: "details that contradict the status",
    head: grpc,
    trailers: [
      ["grpc-status", "0"],
      ["grpc-status-details-bin", status],
    ],
  },
  { title: "a status in the head", head: [...grpc, ["grpc-status", "5"], ["grpc-message", "no"]], isHeadOnly: true },
  { title: "a good status in the head", head: [...grpc, ...ok], isHeadOnly: true },
  { title: "a head and nothing else", head: grpc, isHeadOnly: true },
  { title: "no content type", body: hi, trailers: ok },
  { title: "another content type", head: [["content-type", "text/html"]], body: "<p>", isHeadOnly: false },
  ...["400", "401", "403", "404", "429", "500", "502", "503", "504", "204"].map((status) => ({
    title: `HTTP ${status}`,
    status,
    head: [
      ["content-type", "text/html"],
      ["grpc-status", "3"],
    ] as Lines,
    body: "<p>",
  })),
  { title: "a compressed message", head: [...grpc, ["grpc-encoding", "gzip"]], body: gzipped, trailers: ok },
  {
    title: "two compressed messages",
    head: [...grpc, ["grpc-encoding", "gzip"]],
    body: gzipped + gzipped,
    trailers: ok,
  },
  {
    title: "a compressed one after one that is not",
    head: [...grpc, ["grpc-encoding", "gzip"]],
    body: hi + gzipped,
    trailers: ok,
  },
  { title: "a compressed message without an encoding", head: grpc, body: gzipped, trailers: ok },
  { title: "an encoding that is identity", head: [...grpc, ["grpc-encoding", "identity"]], body: hi, trailers: ok },
  { title: "an encoding that was not asked for", head: [...grpc, ["grpc-encoding", "br"]], body: hi, trailers: ok },
  { title: "a message that is too large", head: grpc, body: "\0\0\0\x03\xe9", trailers: ok },
];

/** Everything that a caller can see. */
async function seen(client: Client<typeof TestService>, kind: "unary" | "stream"): Promise<unknown> {
  let header: Headers | undefined;
  let trailer: Headers | undefined;
  const texts: string[] = [];
  const callbacks = {
    onHeader(value: Headers) {
      header = value;
    },
    onTrailer(value: Headers) {
      trailer = value;
    },
  };
  try {
    if (kind === "unary") texts.push((await client.unary({}, callbacks)).text);
    else for await (const { text } of client.serverStream({}, callbacks)) texts.push(text);
    return { texts, header: [...(header ?? [])], trailer: [...(trailer ?? [])] };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const { message, metadata, details } = error;
    return { texts, header: [...(header ?? [])], message, metadata: [...metadata], details };
  }
}

type Sent = Omit<Response, "title">;

function send(id: number, peer: Peer, { status = "200", head = [], body = "", trailers, isHeadOnly }: Sent): void {
  peer.send(headers(id, fieldsOf([[":status", status], ...head]), isHeadOnly === true ? 5 : 4));
  if (isHeadOnly === true) return;
  // Cut in two, wherever that is.
  const middle = body.length >> 1;
  peer.send(data(id, body.slice(0, middle)));
  setTimeout(() => {
    peer.send(data(id, body.slice(middle), trailers === undefined ? 1 : 0));
    if (trailers !== undefined) peer.send(headers(id, fieldsOf(trailers), 5));
  }, 1);
}

describe.each(["unary", "stream"] as const)("a response to a %s call", (kind) => {
  test.each(responses)("with $title", async (response) => {
    const { url } = await startScriptedServer({ onRequest: (id, peer) => send(id, peer, response) });
    const [own, connect] = await Promise.all(lanes.map((lane) => seen(open(lane, url), kind)));
    expect(own).toEqual(connect);
  });
});

/** A google.rpc.Status of a code, 0 or one below 128. */
const detailsOf = (code: number) => Buffer.from([8, code]).toString("base64").replace(/=+$/, "");

/** Where Connect's words are protobuf-es', where it loses the status, and where it blames the caller for the server. */
const differences: [title: string, response: Sent, message: string | RegExp][] = [
  [
    "a status whose message is badly encoded",
    {
      head: grpc,
      trailers: [
        ["grpc-status", "5"],
        ["grpc-message", "%"],
      ],
    },
    "[not_found] %",
  ],
  [
    "a status in the head whose message is badly encoded",
    { head: [...grpc, ["grpc-status", "5"], ["grpc-message", "%"]], isHeadOnly: true },
    "[not_found] %",
  ],
  [
    "a status whose details cannot be decoded",
    {
      head: grpc,
      trailers: [
        ["grpc-status", "5"],
        ["grpc-message", "no"],
        ["grpc-status-details-bin", "?"],
      ],
    },
    "[not_found] no",
  ],
  ...[0, 99].map((code): (typeof differences)[number] => [
    `a status whose details have the code ${code}`,
    {
      head: grpc,
      trailers: [
        ["grpc-status", "5"],
        ["grpc-message", "no"],
        ["grpc-status-details-bin", detailsOf(code)],
      ],
    },
    "[not_found] no",
  ]),
  ["a status that is no number", { head: grpc, trailers: [["grpc-status", "x"]] }, /^\[unknown\] .*: x$/],
  ["a status in hexadecimal", { head: grpc, trailers: [["grpc-status", "0x5"]] }, /^\[unknown\] .*: 0x5$/],
  ["an unknown status", { head: grpc, trailers: [["grpc-status", "99"]] }, /^\[unknown\] .*: 99$/],
  ["two statuses", { head: grpc, body: hi, trailers: [["grpc-status", "5"], ...ok] }, /^\[unknown\] /],
  [
    "a good status in the head, and a message",
    { head: [...grpc, ...ok], body: hi },
    "[internal] protocol error: missing status",
  ],
  [
    "a status of gRPC besides one of HTTP",
    { status: "503", head: [...grpc, ["grpc-status", "5"], ["grpc-message", "no"]] },
    "[not_found] no",
  ],
  [
    "JSON instead of the binary format",
    { head: [["content-type", "application/grpc+json"]], body: hi, trailers: ok },
    "[unknown] unsupported content type application/grpc+json",
  ],
  ...[2, 128].map((flags): (typeof differences)[number] => [
    `a message with the flags ${flags}`,
    { head: grpc, body: `${String.fromCharCode(flags)}${empty.slice(1)}`, trailers: ok },
    `[internal] protocol error: unexpected envelope flags ${flags}`,
  ]),
  [
    "a message that is cut",
    { head: grpc, body: hi.slice(0, 7), trailers: ok },
    "[internal] protocol error: incomplete envelope",
  ],
  [
    "a message whose head is cut",
    { head: grpc, body: hi + hi.slice(0, 3), trailers: ok },
    "[internal] protocol error: incomplete envelope",
  ],
  [
    "a message that is cut, and a status",
    { head: grpc, body: hi.slice(0, 7), trailers: [["grpc-status", "5"]] },
    "[not_found]",
  ],
  [
    "broken compression",
    { head: [...grpc, ["grpc-encoding", "gzip"]], body: "\x01\0\0\0\x02hi", trailers: ok },
    "[internal] decompression failed",
  ],
  [
    "a message that is none of the type",
    { head: grpc, body: "\0\0\0\0\x02\x0a\x09", trailers: ok },
    "[internal] parse binary: text: expected 9 bytes, found 0",
  ],
];

describe.each(["unary", "stream"] as const)("a %s call of our own", (kind) => {
  test.each(differences)("fails by %s", async (_title, response, message) => {
    const { url } = await startScriptedServer({ onRequest: (id, peer) => send(id, peer, response) });
    expect(await seen(open("own", url), kind)).toMatchObject({
      message: message instanceof RegExp ? expect.stringMatching(message) : message,
    });
  });

  test("succeeds by the status in the trailers, whatever that in the head is", async () => {
    const response = { head: [...grpc, ["grpc-status", "5"]] as Lines, body: hi, trailers: ok };
    const { url } = await startScriptedServer({ onRequest: (id, peer) => send(id, peer, response) });
    expect(await seen(open("own", url), kind)).toMatchObject({ texts: ["hi"] });
  });
});

test("a request that is too large fails, and is not sent", async () => {
  for (const lane of lanes) {
    const { url, peers } = await startScriptedServer({});
    const call = open(lane, url).unary({ text: "x".repeat(1000) });
    await expect(call).rejects.toThrow(
      "[resource_exhausted] message size 1003 is larger than configured writeMaxBytes 1000",
    );
    expect(peers.flatMap(({ requests }) => requests)).toEqual([]);
  }
});

test.each([
  ["no headers", {}, undefined],
  ["headers", { a: "1", "b-bin": "AAE" }, 5000],
  ["headers that all requests have", { "user-agent": "me", te: "x", "content-type": "text/plain", host: "h" }, 5000],
])("both send the same headers for %s", async (_title, headers, timeoutMs) => {
  const [own, connect] = await Promise.all(
    lanes.map(async (lane) => {
      const { url, peers } = await startScriptedServer({
        onRequest: (id, peer) => send(id, peer, { head: grpc, body: hi, trailers: ok }),
      });
      await open(lane, url).unary({}, { headers, ...(timeoutMs !== undefined && { timeoutMs }) });
      const fields = peers[0]?.frames.find(({ type }) => type === 1)?.fields ?? {};
      return { ...fields, ":authority": fields[":authority"]?.replace(/:\d+$/, "") };
    }),
  );
  expect(own).toEqual(connect);
});
