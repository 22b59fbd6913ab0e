// The code that a caller gets for every way in which a stream or a connection can end, over every protocol.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConnectError, createClient, createTransport, type Protocol } from "../../../../client/index.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { data, fieldsOf, frame, headers, rst, settings, uint32 } from "../../../support/http2-peer.js";
import { certificate, key } from "../server.js";
import { type Peer, type Script, startScriptedServer } from "./scripted-server.js";

const protocols = ["grpc", "grpc-web", "connect", "rest"] as const;

const httpRules = {
  rules: [
    { selector: "manywire.test.v1.TestService.Unary", post: "/unary", body: "*" },
    { selector: "manywire.test.v1.TestService.ServerStream", post: "/stream", body: "*" },
    { selector: "manywire.test.v1.TestService.BidiStream", post: "/bidi", body: "*" },
  ],
};

/** The types of responses of one message, and of streams. */
const contentTypes: Record<Protocol, Record<"unary" | "stream", string>> = {
  grpc: { unary: "application/grpc+proto", stream: "application/grpc+proto" },
  "grpc-web": { unary: "application/grpc-web+proto", stream: "application/grpc-web+proto" },
  connect: { unary: "application/proto", stream: "application/connect+proto" },
  rest: { unary: "application/json", stream: "application/x-ndjson" },
};

/** The head of a response. */
function head(protocol: Protocol, kind: "unary" | "stream", id: number, more: [string, string][] = []) {
  const fields = [[":status", "200"], ["content-type", contentTypes[protocol][kind]], ...more] as [string, string][];
  return headers(id, fieldsOf(fields), 4);
}

/** A stream's message that is empty. */
function message(protocol: Protocol, id: number) {
  return data(id, protocol === "rest" ? "{}\n" : "\0\0\0\0\0");
}

const goaway = (lastId: number, code: number, text = "") =>
  frame(7, 0, 0, [...uint32(lastId), ...uint32(code), ...Buffer.from(text)]);

function open(protocol: Protocol, baseUrl: string, options = {}) {
  const transport = createTransport({ protocol, baseUrl, httpRules, ...options });
  onTestFinished(() => transport.close());
  return createClient(TestService, transport);
}

async function failureOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error("the call succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) throw error;
  return error.message;
}

/** Calls, and returns how the call failed, after how many messages. */
async function call(kind: "unary" | "stream", protocol: Protocol, script: Script, options = {}) {
  const { url } = await startScriptedServer(script);
  const client = open(protocol, url, options);
  let messages = 0;
  const read = async () => {
    for await (const _ of client.serverStream({})) messages += 1;
  };
  const failure = await failureOf(kind === "unary" ? client.unary({}) : read());
  return { failure, messages };
}

interface Ending {
  readonly title: string;
  /** The error that the call fails with: code and message. */
  readonly failure: string;
  /** Whether the server has begun to respond before. */
  readonly isBegun?: boolean;
  end(id: number, peer: Peer): void;
}

const reset = (code: number, name: string, failure: string): Ending => ({
  title: `RST_STREAM ${name}`,
  failure: `[${failure}] http/2 stream closed with error code ${name} (0x${code.toString(16)})`,
  end: (id, peer) => peer.send(rst(id, code)),
});

/** https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#errors */
const resets: Ending[] = [
  reset(0x0, "NO_ERROR", "internal"),
  reset(0x1, "PROTOCOL_ERROR", "internal"),
  reset(0x2, "INTERNAL_ERROR", "internal"),
  reset(0x3, "FLOW_CONTROL_ERROR", "internal"),
  reset(0x4, "SETTINGS_TIMEOUT", "internal"),
  reset(0x5, "STREAM_CLOSED", "internal"),
  reset(0x6, "FRAME_SIZE_ERROR", "internal"),
  reset(0x7, "REFUSED_STREAM", "unavailable"),
  reset(0x8, "CANCEL", "canceled"),
  reset(0x9, "COMPRESSION_ERROR", "internal"),
  reset(0xa, "CONNECT_ERROR", "internal"),
  reset(0xb, "ENHANCE_YOUR_CALM", "resource_exhausted"),
  reset(0xc, "INADEQUATE_SECURITY", "permission_denied"),
  reset(0xd, "HTTP_1_1_REQUIRED", "internal"),
  {
    title: "RST_STREAM with an unknown code",
    failure: "[internal] http/2 stream closed with error code 0xabcdef",
    end: (id, peer) => peer.send(rst(id, 0xabcdef)),
  },
];

const ends: Ending[] = [
  {
    title: "GOAWAY before the stream",
    failure: "[unavailable] the server closed the connection before it processed the call",
    end: (id, peer) => peer.send(goaway(id - 1, 0)),
  },
  {
    title: "GOAWAY ENHANCE_YOUR_CALM before the stream",
    failure: "[unavailable] the server closed the connection before it processed the call",
    end: (id, peer) => peer.send(goaway(id - 1, 0xb)),
  },
  {
    title: "GOAWAY ENHANCE_YOUR_CALM with the stream, and the end of the connection",
    failure: "[resource_exhausted] http/2 connection closed with error code ENHANCE_YOUR_CALM (0xb): calm",
    end(id, peer) {
      peer.send(goaway(id, 0xb, "calm"));
      peer.socket.end();
    },
  },
  {
    title: "GOAWAY INTERNAL_ERROR with the stream, and the end of the connection",
    failure: "[unavailable] http/2 connection closed with error code INTERNAL_ERROR (0x2)",
    end(id, peer) {
      peer.send(goaway(id, 2));
      peer.socket.end();
    },
  },
  {
    title: "the regular end of the connection",
    failure: "[unavailable] the connection was closed",
    end: (_id, peer) => peer.socket.end(),
  },
  {
    title: "GOAWAY NO_ERROR with the stream, and the end of the connection",
    failure: "[unavailable] the connection was closed",
    end(id, peer) {
      peer.send(goaway(id, 0));
      peer.socket.end();
    },
  },
  {
    title: "a reset of the connection",
    failure: "[unavailable] read ECONNRESET",
    // Later, so that the client is not writing.
    end: (_id, peer) => void peer.roundTrip().then(() => peer.socket.resetAndDestroy()),
  },
  {
    title: "a frame that is not allowed",
    failure: "[internal] http/2: PING: on stream 1",
    end: (id, peer) => peer.send(frame(6, 0, id, new Uint8Array(8))),
  },
  {
    title: "a server that does not speak HTTP/2 any more",
    failure: "[internal] http/2: frame: expected at most 16384 bytes, found 4740180",
    end: (_id, peer) => peer.send(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")),
  },
];

/** Those that only happen where a response has not begun. */
const heads: Ending[] = [
  {
    title: "a head with a name in upper case",
    failure: "[internal] http/2 stream closed with error code PROTOCOL_ERROR (0x1): field name: invalid character",
    end: (id, peer) =>
      peer.send(
        headers(
          id,
          fieldsOf([
            [":status", "200"],
            ["X", ""],
          ]),
          4,
        ),
      ),
  },
  {
    title: "a head without a status",
    failure: "[internal] http/2 stream closed with error code PROTOCOL_ERROR (0x1): :status: missing or invalid",
    end: (id, peer) => peer.send(headers(id, fieldsOf([["x", ""]]), 5)),
  },
  {
    title: "DATA without a head",
    failure: "[internal] http/2 stream closed with error code PROTOCOL_ERROR (0x1): DATA before HEADERS",
    end: (id, peer) => peer.send(data(id, "", 1)),
  },
  {
    title: "a head of too many fields",
    failure: "[resource_exhausted] http/2 stream closed with error code ENHANCE_YOUR_CALM (0xb): headers: too large",
    end(id, peer) {
      const many = Array.from({ length: 1100 }, (_, index): [string, string] => [`x${index}`, ""]);
      peer.send(headers(id, fieldsOf([[":status", "200"], ...many]), 4));
    },
  },
  {
    title: "an informational response and the end of the connection",
    failure: "[unavailable] the connection was closed",
    end(id, peer) {
      peer.send(headers(id, fieldsOf([[":status", "103"]]), 4));
      peer.socket.end();
    },
  },
];

describe.each(protocols)("%s", (protocol) => {
  describe.each(["unary", "stream"] as const)("a call of the kind %s", (kind) => {
    test.each([...resets, ...ends, ...heads])("fails by $title", async ({ end, failure }) => {
      const script = { onRequest: (id: number, peer: Peer) => end(id, peer) };
      expect(await call(kind, protocol, script)).toEqual({ failure, messages: 0 });
    });

    test.each([...resets, ...ends])("that has begun fails by $title", async ({ end, failure }) => {
      const script = {
        onRequest(id: number, peer: Peer) {
          peer.send(head(protocol, kind, id), ...(kind === "stream" ? [message(protocol, id)] : []));
          // A reset of the connection drops what the client has not read.
          void peer.roundTrip().then(() => end(id, peer));
        },
      };
      expect(await call(kind, protocol, script)).toEqual({ failure, messages: kind === "stream" ? 1 : 0 });
    });

    test("fails by a body that is longer than its content-length", async () => {
      const script = {
        onRequest: (id: number, peer: Peer) =>
          peer.send(head(protocol, kind, id, [["content-length", "1"]]), data(id, "ab", 1)),
      };
      const failure =
        "[internal] http/2 stream closed with error code PROTOCOL_ERROR (0x1): DATA: more than content-length";
      expect(await call(kind, protocol, script)).toEqual({ failure, messages: 0 });
    });

    test("fails by a server that leaves PING unanswered", async () => {
      const pings = { pingIntervalMs: 30, pingTimeoutMs: 30 };
      const failure = "[unavailable] PING timed out";
      expect(await call(kind, protocol, { isMute: true }, pings)).toEqual({ failure, messages: 0 });
    });

    test("fails by a server of HTTP/1.1", async () => {
      const script = {
        settings: null,
        onConnect: (peer: Peer) => peer.send(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")),
      };
      const failure = "[internal] the server does not speak HTTP/2";
      expect(await call(kind, protocol, script)).toEqual({ failure, messages: 0 });
    });

    test("fails by a server that closes each connection at once", async () => {
      const script = { settings: null, onConnect: (peer: Peer) => void peer.socket.end() };
      const { failure } = await call(kind, protocol, script);
      expect(failure).toBe("[unavailable] the connection was closed");
    });
  });
});

/** Ends of streams that HTTP/2 allows and that are no responses of the protocol. */
const incomplete: [protocol: Protocol, kind: "unary" | "stream", failure: string][] = [
  ["grpc", "unary", "[internal] protocol error: missing status"],
  ["grpc", "stream", "[internal] protocol error: missing status"],
  ["grpc-web", "unary", "[unknown] protocol error: missing trailer"],
  ["grpc-web", "stream", "[internal] protocol error: missing trailer"],
  ["connect", "stream", "[invalid_argument] protocol error: missing EndStreamResponse"],
];

test.each(incomplete)("a response over %s, %s, that ends without a status fails", async (protocol, kind, failure) => {
  const script = { onRequest: (id: number, peer: Peer) => peer.send(head(protocol, kind, id), data(id, "", 1)) };
  expect(await call(kind, protocol, script)).toEqual({ failure, messages: 0 });
});

test("calls that wait for SETTINGS_MAX_CONCURRENT_STREAMS 0 fail when the connection is closed", async () => {
  const script: Script = {
    onConnect(peer) {
      peer.send(settings([3, 0]));
      void peer.roundTrip().then(() => peer.socket.end());
    },
  };
  expect((await call("unary", "connect", script)).failure).toBe("[unavailable] the connection was closed");
});

/** TLS servers that do not speak HTTP/2. */
const tlsServers: [title: string, listen: () => tls.Server, failure: RegExp][] = [
  [
    "offers HTTP/1.1 only",
    () => tls.createServer({ cert: certificate, key, ALPNProtocols: ["http/1.1"] }, (socket) => socket.end()),
    /^\[internal\] .*no application protocol/,
  ],
  [
    "speaks HTTP/1.1 without ALPN",
    () => tls.createServer({ cert: certificate, key }, (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    /^\[internal\] the server does not speak HTTP\/2$/,
  ],
  [
    "closes each connection",
    () => tls.createServer({ cert: certificate, key, ALPNProtocols: ["h2"] }, (socket) => socket.destroy()),
    /^\[unavailable\] /,
  ],
];

test.each(tlsServers)("a call to a TLS server that %s fails", async (_title, listen, failure) => {
  const server = listen().on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const protocol of protocols) {
    const client = open(protocol, `https://127.0.0.1:${port}`, { tls: { ca: certificate } });
    expect(await failureOf(client.unary({}))).toMatch(failure);
  }
});
