// What an upstream can do to the calls of a proxy, and the code that their callers are to get.
import { gzipSync } from "node:zlib";
import { envelope as envelopeOf } from "../support/envelopes.js";
import { encodeFrame, encodeHeaders, frameFlags, frameTypes } from "../support/http2-frames.js";
import { bytesOf, data, fieldsOf, frame, headers, rst, settings, uint32, windowUpdate } from "../support/http2-peer.js";
import type { Peer } from "../support/scripted-peer.js";
import { goodResponse, message, responseHead, trailers } from "./hostile-upstream.js";
import { isLong } from "./long.js";

/** One thing that an upstream does. */
export interface Attack {
  readonly title: string;
  /** The code of each call, or those that will do. */
  readonly code: number | readonly number[];
  /** The code of streams, if it is another. */
  readonly streamCode?: number;
  /** Responds to one call. */
  readonly respond?: (id: number, peer: Peer) => void;
  /** Responds to all calls of a connection, once they have all come. */
  readonly respondAll?: (ids: readonly number[], peer: Peer) => void;
  /** At the beginning of a connection. */
  readonly onConnect?: (peer: Peer) => void;
  /** Its SETTINGS, or null for none. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | null;
  /** Whether the caller may have a part of a message by then: where the end is in the body, it can only be cut. */
  readonly isInMessage?: boolean;
  /** The deadline of the calls. Default: more than they need. */
  readonly deadlineMs?: number;
  /** Whether its connections are of no use afterwards. The upstream closes them then. */
  readonly isFatal?: boolean;
}

type Lines = readonly (readonly [string, string])[];

const ok = 0;
const canceled = 1;
const unknown = 2;
const deadlineExceeded = 4;
const permissionDenied = 7;
const resourceExhausted = 8;
const unimplemented = 12;
const internal = 13;
const unavailable = 14;
const unauthenticated = 16;

/** Where a connection cannot be used: gRPC's libraries do not agree. */
const notConnected = [internal, unavailable];

const shortMs = 300;
const grpc: Lines = [["content-type", "application/grpc"]];
const half = (id: number) => data(id, "\0\0\0");
const end = (id: number) => data(id, "", frameFlags.endStream);
const head = (id: number, fields: Lines, flags = 4) => headers(id, fieldsOf(fields), flags);
const withHead = (more: Lines) => (id: number) => head(id, [[":status", "200"], ...grpc, ...more]);
const goaway = (lastId: number, code: number) => frame(frameTypes.goaway, 0, 0, [...uint32(lastId), ...uint32(code)]);
const largestId = 2 ** 31 - 1;

/** A message in an envelope with flags, and a length that may be a lie. */
function envelope(id: number, flags: number, content: Uint8Array = new Uint8Array(), length = content.length) {
  return frame(frameTypes.data, 0, id, [flags, ...uint32(length), ...content]);
}

const gzipOf = (bytes: number) => gzipSync(Buffer.alloc(bytes));

/** The largest frame. */
const frameBytes = 16 * 1024;

function inPieces(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / frameBytes);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * frameBytes, (index + 1) * frameBytes));
}

/** Headers of a response with many fields. */
const longBlock = (count: number, bytes: number) =>
  inPieces(encodeHeaders([[":status", "200"], ...grpc, ...manyFields(count, bytes)]));

/** HEADERS, and CONTINUATIONs. */
function longHead(id: number, block: readonly Buffer[]): Buffer[] {
  return block.map((part, index) => {
    const flags = index === block.length - 1 ? frameFlags.endHeaders : 0;
    return encodeFrame(index === 0 ? frameTypes.headers : frameTypes.continuation, flags, id, part);
  });
}

function manyFields(count: number, bytes: number): Lines {
  return Array.from({ length: count }, (_, index) => [`x-${index}`, "x".repeat(bytes)]);
}

// Made once: an upstream that is busy with making them would be a slow one.
const twoThousandFields = longBlock(2000, 1);
const oneMegabyte = longBlock(500, 2048);
const bomb = inPieces(envelopeOf(gzipOf(64 * 1024 * 1024), 1));

/** Responses of HTTP, most of them by a proxy that stands before the server. */
const responsesOfHttp: Attack[] = (
  [
    [400, internal],
    [401, unauthenticated],
    [403, permissionDenied],
    [404, unimplemented],
    [429, unavailable],
    [500, unknown],
    [502, unavailable],
    [503, unavailable],
    [504, unavailable],
    [200, unknown],
  ] as const
).map(([status, code]) => ({
  title: `HTML with HTTP ${status}`,
  code,
  respond(id, peer) {
    const fields: Lines = [
      [":status", `${status}`],
      ["content-type", "text/html"],
    ];
    peer.send(head(id, fields), data(id, `<h1>${status}</h1>`, frameFlags.endStream));
  },
}));

const statuses: Attack[] = [
  {
    title: "trailers without a status",
    code: internal,
    respond: (id, peer) => peer.send(responseHead(id), message(id), head(id, [["x", "y"]], 5)),
  },
  {
    title: "no trailers",
    code: internal,
    respond: (id, peer) => peer.send(responseHead(id), message(id), end(id)),
  },
  {
    title: "headers and no more",
    code: internal,
    respond: (id, peer) => peer.send(head(id, [[":status", "200"], ...grpc], 5)),
  },
  {
    title: "a good status in the headers, a message and no trailers",
    code: internal,
    respond: (id, peer) => peer.send(withHead([["grpc-status", "0"]])(id), message(id), end(id)),
  },
  {
    title: "an error in the headers, and a good response after it",
    code: ok,
    respond: (id, peer) => peer.send(withHead([["grpc-status", "5"]])(id), message(id), trailers(id)),
  },
  {
    title: "an error in the headers, and an empty body",
    code: 5,
    respond: (id, peer) => peer.send(withHead([["grpc-status", "5"]])(id), end(id)),
  },
  {
    title: "an error in headers that end the response",
    code: 5,
    respond: (id, peer) => peer.send(head(id, [[":status", "200"], ...grpc, ["grpc-status", "5"]], 5)),
  },
  {
    title: "an error with HTTP 503",
    code: 5,
    respond: (id, peer) => peer.send(head(id, [[":status", "503"], ...grpc, ["grpc-status", "5"]], 5)),
  },
  ...["", "-1", "17", "999999999999", "x", "0x5", "5.5"].map(
    (status): Attack => ({
      title: `the status ${JSON.stringify(status)}`,
      code: unknown,
      respond: (id, peer) => peer.send(responseHead(id), message(id), trailers(id, status)),
    }),
  ),
  {
    title: "two statuses",
    code: unknown,
    respond: (id, peer) =>
      peer.send(
        responseHead(id),
        message(id),
        head(
          id,
          [
            ["grpc-status", "5"],
            ["grpc-status", "0"],
          ],
          5,
        ),
      ),
  },
  // A google.rpc.Status with the code 99, and an invalid one.
  ...["CGM", "////"].map(
    (details): Attack => ({
      title: `the details ${details}`,
      code: 5,
      respond: (id, peer) =>
        peer.send(
          responseHead(id),
          head(
            id,
            [
              ["grpc-status", "5"],
              ["grpc-status-details-bin", details],
            ],
            5,
          ),
        ),
    }),
  ),
  {
    title: "a message of the error that is no text",
    code: 5,
    respond: (id, peer) =>
      peer.send(
        responseHead(id),
        head(
          id,
          [
            ["grpc-status", "5"],
            ["grpc-message", "%ff%zz%"],
          ],
          5,
        ),
      ),
  },
];

const messages: Attack[] = [
  {
    title: "no message",
    code: unimplemented,
    streamCode: ok,
    respond: (id, peer) => peer.send(responseHead(id), trailers(id)),
  },
  {
    title: "two messages",
    code: unimplemented,
    streamCode: ok,
    respond: (id, peer) => peer.send(responseHead(id), message(id), message(id), trailers(id)),
  },
  {
    title: "a message in frames of one byte",
    code: ok,
    respond(id, peer) {
      const bytes = [0, 0, 0, 0, 4, 10, 2, 104, 105].map((byte) => frame(frameTypes.data, 0, id, [byte]));
      peer.send(responseHead(id), ...bytes, trailers(id));
    },
  },
  {
    title: "a message of 4 GB",
    code: resourceExhausted,
    respond: (id, peer) => peer.send(responseHead(id), envelope(id, 0, bytesOf("x"), 2 ** 32 - 1)),
  },
  {
    title: "a message of 4 MB that never comes",
    isInMessage: true,
    code: deadlineExceeded,
    deadlineMs: shortMs,
    respond: (id, peer) => peer.send(responseHead(id), envelope(id, 0, bytesOf("x"), 2 ** 22)),
  },
  {
    title: "a message that is cut",
    isInMessage: true,
    code: internal,
    respond: (id, peer) => peer.send(responseHead(id), half(id), trailers(id)),
  },
  {
    title: "an error after a message that is cut",
    isInMessage: true,
    code: 5,
    respond: (id, peer) => peer.send(responseHead(id), half(id), trailers(id, "5")),
  },
  // 2 ends a response of Connect, 128 one of gRPC-Web.
  ...[2, 4, 128, 255].map(
    (flags): Attack => ({
      title: `a message with the flags ${flags}`,
      code: internal,
      respond: (id, peer) => peer.send(responseHead(id), envelope(id, flags, bytesOf("{}")), trailers(id)),
    }),
  ),
  {
    title: "an unknown encoding",
    code: internal,
    respond: (id, peer) => peer.send(withHead([["grpc-encoding", "foo"]])(id), envelope(id, 1), trailers(id)),
  },
  {
    title: "a compressed message without an encoding",
    code: internal,
    respond: (id, peer) => peer.send(responseHead(id), envelope(id, 1, gzipOf(9)), trailers(id)),
  },
  {
    title: "invalid gzip",
    code: internal,
    respond: (id, peer) =>
      peer.send(withHead([["grpc-encoding", "gzip"]])(id), envelope(id, 1, bytesOf("gzip")), trailers(id)),
  },
  {
    title: "64 KB that are 64 MB",
    // Where bytes pass through, it is a compression that the caller does not accept.
    code: [resourceExhausted, internal],
    respond(id, peer) {
      const parts = bomb.map((part) => encodeFrame(frameTypes.data, 0, id, part));
      peer.send(withHead([["grpc-encoding", "gzip"]])(id), ...parts, trailers(id));
    },
  },
];

const heads: Attack[] = [
  {
    title: ":status twice",
    code: internal,
    respond: (id, peer) =>
      peer.send(
        head(id, [
          [":status", "200"],
          [":status", "200"],
        ]),
      ),
  },
  {
    title: "no :status",
    code: internal,
    respond: (id, peer) => peer.send(head(id, grpc)),
  },
  {
    title: "a request for a response",
    code: internal,
    respond: (id, peer) => peer.send(head(id, [[":method", "GET"], [":path", "/"], ...grpc])),
  },
  {
    title: "no content type",
    code: unknown,
    respond: (id, peer) => peer.send(head(id, [[":status", "200"]]), message(id), trailers(id)),
  },
  {
    title: "gRPC-Web",
    code: unknown,
    respond(id, peer) {
      const fields: Lines = [
        [":status", "200"],
        ["content-type", "application/grpc-web+proto"],
      ];
      peer.send(head(id, fields), message(id), end(id));
    },
  },
  {
    title: "JSON",
    code: unknown,
    respond(id, peer) {
      const fields: Lines = [
        [":status", "200"],
        ["content-type", "application/grpc+json"],
      ];
      peer.send(head(id, fields), envelope(id, 0, bytesOf("{}")), trailers(id));
    },
  },
  {
    title: "a name in upper case",
    code: internal,
    respond: (id, peer) => peer.send(withHead([["X-Upper", "1"]])(id)),
  },
  {
    title: "a header of the connection",
    code: internal,
    respond: (id, peer) => peer.send(withHead([["transfer-encoding", "chunked"]])(id)),
  },
  {
    title: "a line feed in a header",
    code: internal,
    respond: (id, peer) => peer.send(withHead([["x", "a\r\nset-cookie: b"]])(id)),
  },
  {
    title: "fewer bytes than its content-length",
    code: internal,
    respond: (id, peer) => peer.send(withHead([["content-length", "9"]])(id), message(id), trailers(id)),
  },
  {
    title: "headers twice",
    code: internal,
    respond: (id, peer) => peer.send(responseHead(id), responseHead(id), message(id), trailers(id)),
  },
  {
    title: "a body without headers",
    code: internal,
    respond: (id, peer) => peer.send(message(id), trailers(id)),
  },
  {
    title: "20 informational responses, and a good one",
    code: ok,
    respond(id, peer) {
      const hints = Array.from({ length: 20 }, () => head(id, [[":status", "103"]]));
      peer.send(...hints, ...goodResponse(id));
    },
  },
  {
    title: "informational responses and no more",
    code: deadlineExceeded,
    deadlineMs: shortMs,
    respond(id, peer) {
      peer.send(...Array.from({ length: 20 }, () => head(id, [[":status", "103"]])));
    },
  },
  {
    title: "an informational response that ends the stream",
    code: internal,
    respond: (id, peer) => peer.send(head(id, [[":status", "103"]], 5)),
  },
  {
    title: "2,000 headers",
    code: resourceExhausted,
    respond: (id, peer) => peer.send(...longHead(id, twoThousandFields)),
  },
];

/** What a server may do with each stream at each point: the response is whole, or the code says why it is not. */
const points: readonly { point: string; isInMessage?: boolean; send: (id: number) => Uint8Array[] }[] = [
  { point: "before its response", send: () => [] },
  { point: "after headers", send: (id) => [responseHead(id)] },
  { point: "in a message", isInMessage: true, send: (id) => [responseHead(id), half(id)] },
  { point: "after a message", send: (id) => [responseHead(id), message(id)] },
];

const resetCodes = [
  ...[0, 1, 2, 3, 4, 5, 6, 9, 10, 13, 0xabcdef].map((code) => [code, internal] as const),
  [7, unavailable] as const,
  [8, canceled] as const,
  [11, resourceExhausted] as const,
  [12, permissionDenied] as const,
];

const resets: Attack[] = [
  ...resetCodes.flatMap(([errorCode, code], index) =>
    points
      .filter((_, point) => isLong || point === index % points.length)
      .map(
        ({ point, isInMessage = false, send }): Attack => ({
          title: `RST_STREAM ${errorCode} ${point}`,
          isInMessage,
          code,
          respond: (id, peer) => peer.send(...send(id), rst(id, errorCode)),
        }),
      ),
  ),
  {
    title: "RST_STREAM after its response",
    code: ok,
    respond: (id, peer) => peer.send(...goodResponse(id), rst(id, 8)),
  },
  {
    title: "no response",
    code: deadlineExceeded,
    deadlineMs: shortMs,
    respond() {},
  },
  {
    title: "WINDOW_UPDATE by 0",
    code: internal,
    respond: (id, peer) => peer.send(windowUpdate(id, 0)),
  },
];

/** Attacks that cost the call, and leave the connection as it was. */
export const streamAttacks: Readonly<Record<string, readonly Attack[]>> = {
  "responses of HTTP": responsesOfHttp,
  statuses,
  messages,
  headers: heads,
  resets,
};

const toAll = (ids: readonly number[], frames: (id: number) => readonly Uint8Array[]) => ids.flatMap(frames);

/** More than a connection may have of frames without content. */
const stormSize = 20_000;

function storm(title: string, code: number, ...frames: readonly Uint8Array[]): Attack {
  const bytes = Buffer.concat(
    Array.from({ length: stormSize }, (_, index) => frames[index % frames.length] as Uint8Array),
  );
  return { title: `${stormSize} times ${title}`, code, respondAll: (_ids, peer) => peer.send(bytes) };
}

const ends: Attack[] = [
  ...points.flatMap(({ point, isInMessage = false, send }): Attack[] => [
    {
      title: `GOAWAY before all calls ${point}`,
      isInMessage,
      code: unavailable,
      respondAll: (ids, peer) => peer.send(...toAll(ids, send), goaway(0, 0)),
    },
    {
      title: `GOAWAY after all calls ${point}, and the end of the connection`,
      isInMessage,
      code: unavailable,
      respondAll(ids, peer) {
        peer.send(...toAll(ids, send), goaway(largestId, 0));
        peer.socket.end();
      },
    },
    {
      title: `the end of the connection ${point}`,
      isInMessage,
      code: unavailable,
      respondAll(ids, peer) {
        peer.send(...toAll(ids, send));
        peer.socket.end();
      },
    },
    {
      title: `a reset of the connection ${point}`,
      isInMessage,
      code: unavailable,
      // Later, because a reset drops what has not been read.
      respondAll(ids, peer) {
        peer.send(...toAll(ids, send));
        void peer.roundTrip().then(() => peer.socket.resetAndDestroy());
      },
    },
  ]),
  {
    title: "GOAWAY after all calls, and good responses",
    code: ok,
    respondAll: (ids, peer) => peer.send(goaway(largestId, 0), ...toAll(ids, goodResponse)),
  },
  {
    title: "GOAWAY twice, and good responses",
    code: ok,
    respondAll: (ids, peer) => peer.send(goaway(largestId, 0), goaway(ids.at(-1) ?? 0, 0), ...toAll(ids, goodResponse)),
  },
  {
    title: "responses after their end",
    code: ok,
    respondAll: (ids, peer) => peer.send(...toAll(ids, goodResponse), ...toAll(ids, goodResponse)),
  },
];

/** A frame on the connection, or on one stream, that ends the connection. */
function fault(title: string, ...frames: readonly Uint8Array[]): Attack {
  return { title, code: internal, respondAll: (_ids, peer) => peer.send(...frames) };
}

const storms: Attack[] = [
  storm("SETTINGS", resourceExhausted, settings([4, 65_535])),
  storm("PING", resourceExhausted, frame(frameTypes.ping, 0, 0, new Uint8Array(8))),
  storm("an acknowledgement of a PING", resourceExhausted, frame(frameTypes.ping, 1, 0, new Uint8Array(8))),
  storm("WINDOW_UPDATE", resourceExhausted, windowUpdate(0, 1)),
  storm("PRIORITY", resourceExhausted, frame(frameTypes.priority, 0, 1, new Uint8Array(5).fill(1))),
  storm("a frame of an unknown type", resourceExhausted, frame(0xee, 0xff, 0, new Uint8Array(9))),
  {
    title: "20,000 informational responses",
    code: resourceExhausted,
    respondAll: ([id = 0], peer) =>
      peer.send(Buffer.concat(Array.from({ length: stormSize }, () => head(id, [[":status", "103"]])))),
  },
  {
    title: "20,000 empty DATA",
    code: resourceExhausted,
    respondAll: (ids, peer) =>
      peer.send(
        ...toAll(ids, (id) => [responseHead(id)]),
        ...Array.from({ length: stormSize }, () => data(ids[0] ?? 0, "")),
      ),
  },
  {
    title: "1 MB of headers",
    code: resourceExhausted,
    respondAll: ([id = 0], peer) => peer.send(...longHead(id, oneMegabyte)),
  },
  {
    title: "20,000 CONTINUATIONs without bytes",
    code: resourceExhausted,
    respondAll: ([id = 0], peer) =>
      peer.send(
        frame(frameTypes.headers, 0, id),
        ...Array.from({ length: stormSize }, () => frame(frameTypes.continuation, 0, id)),
      ),
  },
];

const faults: Attack[] = [
  fault("PUSH_PROMISE", frame(frameTypes.pushPromise, 4, 1, [...uint32(2), 0x82])),
  fault("a response to a request that was not made", responseHead(99)),
  fault("DATA for a stream that was not opened", data(99, "x")),
  fault("RST_STREAM for a stream that was not opened", rst(99)),
  fault(
    "a request",
    head(
      2,
      [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/"],
      ],
      5,
    ),
  ),
  fault("CONTINUATION without HEADERS", frame(frameTypes.continuation, 4, 1)),
  fault("a frame between HEADERS and CONTINUATION", frame(frameTypes.headers, 0, 1), windowUpdate(0, 1)),
  fault("WINDOW_UPDATE over 2^31 - 1", windowUpdate(0, largestId)),
  fault("SETTINGS of 5 bytes", frame(frameTypes.settings, 0, 0, new Uint8Array(5))),
  fault("SETTINGS with a window over 2^31 - 1", settings([4, 2 ** 32 - 1])),
  fault("SETTINGS acknowledged twice", frame(frameTypes.settings, 1, 0), frame(frameTypes.settings, 1, 0)),
  fault("a frame of 16 MB", Uint8Array.of(0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1)),
  fault("invalid HPACK", frame(frameTypes.headers, 4, 1, new Uint8Array(99).fill(0xff))),
  fault("padding longer than its frame", frame(frameTypes.data, 8, 1, [255, 0])),
];

const silences: Attack[] = [
  {
    title: "windows that are never opened",
    code: deadlineExceeded,
    settings: [[4, 0]],
    deadlineMs: shortMs,
    isFatal: true,
  },
  {
    title: "no room for streams",
    code: deadlineExceeded,
    settings: [[3, 0]],
    deadlineMs: shortMs,
    isFatal: true,
  },
  {
    title: "no SETTINGS",
    code: deadlineExceeded,
    settings: null,
    deadlineMs: shortMs,
    isFatal: true,
  },
  {
    title: "nothing read",
    code: deadlineExceeded,
    onConnect: (peer) => void peer.socket.pause(),
    deadlineMs: shortMs,
    isFatal: true,
  },
];

const refusals: Attack[] = [
  {
    title: "a response before SETTINGS",
    code: notConnected,
    settings: null,
    onConnect: (peer) => peer.send(...goodResponse(1)),
  },
  {
    title: "HTTP/1.1",
    code: notConnected,
    settings: null,
    onConnect: (peer) => peer.send(Buffer.from("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")),
    isFatal: true,
  },
  {
    title: "an alert of TLS",
    code: notConnected,
    settings: null,
    onConnect: (peer) => void peer.socket.end(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 0x46)),
    isFatal: true,
  },
  {
    title: "the end of each connection",
    code: unavailable,
    settings: null,
    onConnect: (peer) => void peer.socket.end(),
    isFatal: true,
  },
  {
    title: "a reset of each connection",
    code: unavailable,
    settings: null,
    onConnect: (peer) => void peer.socket.resetAndDestroy(),
    isFatal: true,
  },
];

/** Attacks that cost the connection, and all of its calls. */
export const connectionAttacks: Readonly<Record<string, readonly Attack[]>> = {
  "ends of connections": ends,
  storms,
  "frames that are not allowed": faults,
  silences,
  "servers that do not speak HTTP/2": refusals,
};
