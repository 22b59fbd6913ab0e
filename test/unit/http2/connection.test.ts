// The rules of RFC 9113 and the limits on abuse, frame by frame.
import { describe, expect, test } from "vitest";
import { clientPreface } from "../../../server/http2/frame/frame-types.js";
import type { Field } from "../../../server/http2/hpack/field.js";
import {
  data,
  fieldsOf,
  frame,
  Harness,
  headers,
  ok,
  post,
  rst,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from "../../support/http2-peer.js";

const bytes = (length: number) => new Uint8Array(length).fill(97);
const withFields = (...more: readonly (readonly [string, string])[]) => [...post, ...fieldsOf(more)];
const repeat = (count: number, make: (index: number) => Uint8Array) =>
  Array.from({ length: count }, (_, index) => make(index));

/** Responds to each request as soon as it is complete. */
function answering(harness: Harness): Harness {
  harness.onCall = (event, stream) => {
    if (event !== "end") return;
    harness.connection.sendHead(stream, ok, false);
    harness.connection.sendData(stream, bytes(2), false);
    harness.connection.sendTrailers(stream, fieldsOf([["grpc-status", "0"]]));
  };
  return harness;
}

describe("a call", () => {
  test("receives head and data, and sends head, data and trailers at once", () => {
    const server = answering(new Harness().open());
    server.send(headers(1, post, 4), data(1, "hello", 1));
    expect(server.told()).toEqual(["request 1 POST /a body", "data 1 hello", "end 1", "close 1"]);
    expect(server.connection.takeOutput()).toHaveLength(1);
    server.send(headers(3));
    expect(server.told()).toEqual(["request 3 POST /a", "end 3", "close 3"]);
    expect(server.connection.streamCount).toBe(0);
  });

  test("is the same however its bytes are split", () => {
    const server = answering(new Harness());
    const frames = [clientPreface, settings([3, 100]), settingsAck, headers(1, post, 4), data(1, "hello", 0)];
    frames.push(headers(1, fieldsOf([["x", "y"]])), windowUpdate(0, 5));
    for (const byte of frames.flatMap((one) => [...one])) server.send(Uint8Array.of(byte));
    expect(server.told()).toEqual([
      "settings",
      "request 1 POST /a body",
      "data 1 hello",
      "trailers 1 x=y",
      "end 1",
      "close 1",
    ]);
    expect(server.sent()).toEqual([
      "SETTINGS 0",
      "WINDOW 0 983041",
      "SETTINGS 0 ack",
      "HEADERS 1 :status=200",
      "DATA 1 aa",
      "HEADERS 1 end grpc-status=0",
    ]);
  });

  test("goes through client and server", () => {
    const client = new Harness("client");
    const server = answering(new Harness());
    const exchange = () => {
      for (let round = 0; round < 4; round++) {
        for (const part of client.connection.takeOutput()) server.send(part);
        for (const part of server.connection.takeOutput()) client.send(part);
      }
    };
    exchange();
    const stream = client.connection.open(post, false);
    if (stream === undefined) throw new Error("expected a stream");
    client.connection.sendData(stream, bytes(100_000), true);
    exchange();
    expect(server.told().at(-1)).toBe("close 1");
    expect(client.told()).toEqual([
      "settings",
      "response 1 200 body",
      "data 1 aa",
      "trailers 1 grpc-status=0",
      "end 1",
      "close 1",
    ]);
    client.connection.ping(7);
    exchange();
    server.connection.goaway("bye");
    exchange();
    expect(client.told()).toEqual(["pong 7", "goaway 0 bye", "closed"]);
    expect(server.told()).toContain("closed");
  });

  test("may be of several header frames, padded, and with a priority", () => {
    const server = new Harness().open();
    const whole = headers(1).subarray(9);
    const padded = [3, ...uint32(0), 9, ...whole.subarray(0, 10), 0, 0, 0];
    server.send(frame(1, 0x29, 1, padded), frame(9, 0, 1, whole.subarray(10, 20)), frame(9, 4, 1, whole.subarray(20)));
    server.send(headers(3, post, 4), frame(0, 9, 3, [2, 97, 98, 0, 0]));
    expect(server.told()).toEqual(["request 1 POST /a", "end 1", "request 3 POST /a body", "data 3 ab", "end 3"]);
  });

  test("may have informational responses before its head", () => {
    const server = new Harness().open().send(headers(1));
    server.connection.sendInformational(server.stream(1), fieldsOf([[":status", "103"]]));
    server.connection.sendHead(server.stream(1), ok, true);
    expect(server.sent()).toEqual(["HEADERS 1 :status=103", "HEADERS 1 end :status=200"]);
    const client = new Harness("client").open();
    client.connection.open(post, true, { isHead: true });
    client.send(headers(1, fieldsOf([[":status", "103"]]), 4));
    client.send(
      headers(
        1,
        fieldsOf([
          [":status", "200"],
          ["content-length", "5"],
        ]),
      ),
    );
    expect(client.told()).toEqual(["response 1 103 body", "response 1 200", "end 1", "close 1"]);
  });

  test("ignores what is sent after its end", () => {
    const server = new Harness().open().send(headers(1));
    const stream = server.stream(1);
    server.connection.sendData(stream, bytes(1), false);
    server.connection.sendHead(stream, ok, true);
    server.connection.sendHead(stream, ok, true);
    server.connection.sendData(stream, bytes(1), true);
    server.connection.sendTrailers(stream, []);
    server.connection.reset(stream, 2);
    expect(server.sent()).toEqual(["HEADERS 1 end :status=200"]);
  });

  test("with an early response drops its body, and is reset after a while", () => {
    const server = new Harness("server", { streamWindowBytes: 1000 }).open().send(headers(1, post, 4), data(1, "abc"));
    server.connection.sendHead(server.stream(1), ok, true);
    expect(server.told()).toEqual(["request 1 POST /a body", "data 1 abc", "close 1"]);
    server.send(data(1, "a".repeat(600)));
    expect(server.sent()).toEqual(["HEADERS 1 end :status=200", "WINDOW 1 603"]);
    server.connection.tick(0);
    server.connection.tick(999);
    expect(server.sent()).toEqual([]);
    server.connection.tick(1000);
    server.send(data(1, "late"), rst(1));
    expect(server.sent()).toEqual(["RST 1 0"]);
    expect(server.told()).toEqual([]);
    expect(server.connection.isClosed).toBe(false);
  });
});

describe("a frame that the peer may not send", () => {
  const half = headers(1, post, 4);
  const response = (...lines: readonly [string, string][]) => headers(1, fieldsOf(lines), 4);
  const connectionErrors: readonly [what: string, code: number, frames: readonly Uint8Array[]][] = [
    ["DATA on stream 0", 1, [data(0, "a")]],
    ["DATA on an idle stream", 1, [data(1, "a")]],
    ["DATA padded beyond its end", 1, [half, frame(0, 8, 1, [5, 1, 1])]],
    ["DATA padded, without a length", 1, [half, frame(0, 8, 1)]],
    ["a frame over the size", 6, [half, data(1, "a".repeat(16_385))]],
    ["HEADERS on stream 0", 1, [headers(0)]],
    ["HEADERS on a stream of ours", 1, [headers(2)]],
    ["HEADERS on a lower stream", 1, [headers(5), headers(3)]],
    ["HEADERS padded beyond their end", 1, [frame(1, 0xd, 1, [99])]],
    ["HEADERS shorter than their priority", 6, [frame(1, 0x25, 1, [0])]],
    ["HEADERS that depend on themselves", 1, [frame(1, 0x25, 1, [...uint32(1), 0])]],
    ["HEADERS with an invalid block", 9, [frame(1, 5, 1, [0xff, 0xff, 0xff])]],
    ["another frame within a header block", 1, [headers(1, post, 1), windowUpdate(0, 1)]],
    ["an unknown frame within a header block", 1, [headers(1, post, 1), frame(99, 0, 0)]],
    ["CONTINUATION of another stream", 1, [headers(1, post, 1), frame(9, 4, 3)]],
    ["CONTINUATION without HEADERS", 1, [frame(9, 4, 1)]],
    ["PRIORITY on stream 0", 1, [frame(2, 0, 0, [...uint32(1), 0])]],
    ["PRIORITY that depends on itself", 1, [frame(2, 0, 1, [...uint32(1), 0])]],
    ["RST_STREAM on stream 0", 1, [rst(0)]],
    ["RST_STREAM on an idle stream", 1, [rst(1)]],
    ["RST_STREAM of another length", 6, [half, frame(3, 0, 1, [1, 2, 3])]],
    ["SETTINGS on a stream", 1, [frame(4, 0, 1)]],
    ["SETTINGS of another length", 6, [frame(4, 0, 0, [1])]],
    ["SETTINGS acknowledgement with entries", 6, [frame(4, 1, 0, [0, 1, 0, 0, 0, 0])]],
    ["a second SETTINGS acknowledgement", 1, [settingsAck]],
    ["SETTINGS_ENABLE_PUSH of 2", 1, [settings([2, 2])]],
    ["SETTINGS_INITIAL_WINDOW_SIZE over the maximum", 3, [settings([4, 2 ** 31])]],
    ["SETTINGS_MAX_FRAME_SIZE under the minimum", 1, [settings([5, 16_383])]],
    ["SETTINGS_MAX_FRAME_SIZE over the maximum", 1, [settings([5, 2 ** 24])]],
    ["a window that SETTINGS make overflow", 3, [half, windowUpdate(1, 2 ** 31 - 65_536), settings([4, 65_537])]],
    ["PUSH_PROMISE", 1, [half, frame(5, 4, 1, uint32(2))]],
    ["PING on a stream", 1, [frame(6, 0, 1, bytes(8))]],
    ["PING of another length", 6, [frame(6, 0, 0, bytes(7))]],
    ["GOAWAY on a stream", 1, [frame(7, 0, 1, bytes(8))]],
    ["GOAWAY that is too short", 6, [frame(7, 0, 0, bytes(7))]],
    ["WINDOW_UPDATE by 0", 1, [windowUpdate(0, 0)]],
    ["WINDOW_UPDATE of another length", 6, [frame(8, 0, 0, [1])]],
    ["WINDOW_UPDATE on an idle stream", 1, [windowUpdate(1, 1)]],
    ["a window of the connection that overflows", 3, [windowUpdate(0, 2 ** 31 - 1)]],
    ["DATA after the peer's RST_STREAM", 5, [half, rst(1), data(1, "a")]],
    ["HEADERS after the peer's RST_STREAM", 5, [half, rst(1), headers(1)]],
  ];
  test.each(connectionErrors)("%s ends the connection with %i", (_, code, frames) => {
    const server = new Harness().open().send(...frames);
    expect(server.error?.code).toBe(code);
    expect(server.told().at(-1)).toBe(`failed ${code}`);
    expect(server.sent().at(-1)).toMatch(new RegExp(`^GOAWAY 0 [0-9]+ ${code}$`));
    const before = server.connection.streamCount;
    expect(before).toBe(0);
    server.send(headers(9));
    expect(server.told()).toEqual([]);
  });

  const streamErrors: readonly [what: string, code: number, frames: readonly Uint8Array[]][] = [
    ["DATA after END_STREAM", 5, [headers(1), data(1, "a")]],
    ["HEADERS after END_STREAM", 5, [headers(1), headers(1)]],
    ["trailers without END_STREAM", 1, [half, headers(1, fieldsOf([["a", "b"]]), 4)]],
    ["trailers with a pseudo-header field", 1, [half, headers(1, fieldsOf([[":path", "/"]]))]],
    ["WINDOW_UPDATE by 0", 1, [half, windowUpdate(1, 0)]],
    ["a window that overflows", 3, [half, windowUpdate(1, 2 ** 31 - 1)]],
    ["PRIORITY of another length", 6, [half, frame(2, 0, 1, [1])]],
    ["DATA over content-length", 1, [headers(1, withFields(["content-length", "1"]), 4), data(1, "ab")]],
    ["DATA under content-length", 1, [headers(1, withFields(["content-length", "3"]), 4), data(1, "ab", 1)]],
    ["no DATA, and content-length", 1, [headers(1, withFields(["content-length", "3"]))]],
    ["trailers under content-length", 1, [headers(1, withFields(["content-length", "3"]), 4), headers(1, [])]],
    ["headers over the size", 11, [headers(1, withFields(["a", "b".repeat(9000)], ["c", "d".repeat(7200)]))]],
    ["too many headers", 11, [headers(1, withFields(...repeat(129, () => bytes(1)).map(() => ["a", "b"] as const)))]],
  ];
  test.each(streamErrors)("%s resets the stream with %i", (_, code, frames) => {
    const server = new Harness().open().send(...frames);
    expect(server.sent()).toEqual([`RST 1 ${code}`]);
    // Frames on their way when the stream was reset are ignored, the next stream is served.
    server.send(data(1, "late"), windowUpdate(1, 1), rst(1), headers(3));
    expect(server.told().slice(-2)).toEqual(["request 3 POST /a", "end 3"]);
    expect(server.connection.streamCount).toBe(1);
  });

  const clientErrors: readonly [what: string, frames: readonly Uint8Array[], sent: string][] = [
    ["DATA before HEADERS", [data(1, "a")], "RST 1 1"],
    ["a response without status", [response()], "RST 1 1"],
    ["a response of status 101", [response([":status", "101"])], "RST 1 1"],
    ["an informational response that ends", [headers(1, fieldsOf([[":status", "100"]]))], "RST 1 1"],
    ["a body of a response to HEAD", [response([":status", "200"]), data(1, "a")], "RST 1 1"],
    ["HEADERS on a stream of the server", [headers(2)], "GOAWAY 0 0 1"],
    ["HEADERS on an idle stream", [headers(3)], "GOAWAY 0 0 1"],
    ["a server that allows pushes", [settings([2, 1])], "GOAWAY 0 0 1"],
  ];
  test.each(clientErrors)("%s is an error of a server", (_, frames, sent) => {
    const client = new Harness("client").open();
    client.connection.open(post, false, { isHead: true });
    client.sent();
    expect(client.send(...frames).sent()).toEqual([sent]);
  });

  test.each([
    ["a wrong preface", [Uint8Array.from(clientPreface, (byte, index) => (index === 20 ? 0 : byte))]],
    ["HTTP/1.1", [Uint8Array.from("GET / HTTP/1.1\r\n", (char) => char.charCodeAt(0))]],
    ["no SETTINGS first", [clientPreface, windowUpdate(0, 1)]],
    ["an acknowledgement first", [clientPreface, settingsAck]],
  ])("%s ends the connection", (_, frames) => {
    expect(new Harness().send(...frames).error?.code).toBe(1);
  });
});

describe("a request", () => {
  const without = (name: string) => post.filter((field) => field.name !== name);
  const malformed: readonly [what: string, fields: readonly Field[]][] = [
    ["no method", without(":method")],
    ["no scheme", without(":scheme")],
    ["no path", without(":path")],
    ["an empty path", [...without(":path"), ...fieldsOf([[":path", ""]])]],
    ["a path that is no path", [...without(":path"), ...fieldsOf([[":path", "a"]])]],
    ["two paths", withFields([":path", "/b"])],
    ["a status", withFields([":status", "200"])],
    ["an unknown pseudo-header field", withFields([":protocol", "websocket"])],
    ["a pseudo-header field at the end", [...withFields(["a", "b"]), ...fieldsOf([[":path", "/"]])]],
    ["an upper-case name", withFields(["A", "b"])],
    ["an empty name", withFields(["", "b"])],
    ["a name with a space", withFields(["a b", "b"])],
    ["connection", withFields(["connection", "close"])],
    ["transfer-encoding", withFields(["transfer-encoding", "chunked"])],
    ["upgrade", withFields(["upgrade", "h2c"])],
    ["te other than trailers", withFields(["te", "gzip"])],
    ["a value with CR", withFields(["a", "b\rc"])],
    ["a value with LF", withFields(["a", "b\nc"])],
    ["a value with NUL", withFields(["a", "b\0c"])],
    ["a value with a space in front", withFields(["a", " b"])],
    ["a value with a tab behind", withFields(["a", "b\t"])],
    ["another host", withFields(["host", "y"])],
    ["two hosts", withFields(["host", "x"], ["host", "x"])],
    ["two content-lengths", withFields(["content-length", "0"], ["content-length", "0"])],
    ["a negative content-length", withFields(["content-length", "-1"])],
    [
      "CONNECT with a path",
      fieldsOf([
        [":method", "CONNECT"],
        [":authority", "x"],
        [":path", "/"],
      ]),
    ],
    ["CONNECT without an authority", fieldsOf([[":method", "CONNECT"]])],
  ];
  test.each(malformed)("with %s is reset", (_, fields) => {
    const server = new Harness().open().send(headers(1, fields));
    expect(server.sent()).toEqual(["RST 1 1"]);
    expect(server.told()).toEqual([]);
  });

  test("of CONNECT is handed on, to be refused with a status", () => {
    const server = new Harness().open().send(
      headers(
        1,
        fieldsOf([
          [":method", "CONNECT"],
          [":authority", "x:1"],
        ]),
      ),
    );
    expect(server.told()[0]).toBe("request 1 CONNECT ");
  });
});

describe("flow control", () => {
  test("a reader that waits holds the window of its stream, and of no other", () => {
    const server = new Harness("server", { streamWindowBytes: 70_000, connectionWindowBytes: 80_000 }).open();
    const chunk = "a".repeat(10_000);
    server.send(headers(1, post, 4), headers(3, post, 4), ...repeat(7, () => data(1, chunk)));
    expect(server.sent()).toEqual(["WINDOW 0 40000"]);
    server.send(...repeat(7, () => data(3, chunk)));
    server.connection.consume(server.stream(3), 70_000);
    expect(server.sent()).toEqual(["WINDOW 0 40000", "WINDOW 0 40000", "WINDOW 3 70000"]);
    server.send(data(1, "a"));
    expect(server.sent()).toEqual(["RST 1 3"]);
    server.send(...repeat(6, () => data(3, chunk)));
    expect(server.error).toBeUndefined();
  });

  test("a peer that ignores the window of the connection loses it", () => {
    const server = new Harness("server", { connectionWindowBytes: 65_535 }).open().send(headers(1, post, 4));
    for (let count = 0; count < 100; count++) server.send(data(1, "a".repeat(16_000)));
    // The window opens as fast as it is used.
    expect(server.error).toBeUndefined();
    expect(server.sent()).toContain("RST 1 3");
  });

  test("bodies wait for both windows, which settings may make negative", () => {
    const server = new Harness().open([4, 10]).send(headers(1), headers(3));
    const [one, three] = [server.stream(1), server.stream(3)];
    for (const stream of [one, three]) server.connection.sendHead(stream, ok, false);
    expect(server.connection.sendData(one, bytes(20), true)).toBe(true);
    expect(server.sent().slice(2)).toEqual(["DATA 1 aaaaaaaaaa"]);
    server.send(settings([4, 5]));
    expect(one.sendWindow.bytes).toBe(-5);
    server.send(windowUpdate(1, 5));
    expect(server.sent()).toEqual(["SETTINGS 0 ack"]);
    server.send(windowUpdate(1, 7));
    expect(server.sent()).toEqual(["DATA 1 aaaaaaa"]);
    server.send(settings([4, 100]));
    expect(server.sent()).toEqual(["SETTINGS 0 ack", "DATA 1 end aaa"]);
    expect(server.told().at(-1)).toBe("close 1");
  });

  test("streams that wait take turns, and trailers follow the last byte", () => {
    const server = new Harness().open([4, 1_000_000]).send(headers(1), headers(3));
    for (const id of [1, 3]) {
      server.connection.sendHead(server.stream(id), ok, false);
      expect(server.connection.sendData(server.stream(id), bytes(50_000), false)).toBe(false);
    }
    server.connection.sendTrailers(server.stream(1), fieldsOf([["t", "1"]]));
    server.told();
    expect(server.sent().slice(2)).toEqual(["DATA 1 16384", "DATA 3 16384", "DATA 1 16384", "DATA 3 16383"]);
    server.send(windowUpdate(0, 1_000_000));
    expect(server.sent()).toEqual(["DATA 1 16384", "DATA 3 16384", "DATA 1 848", "HEADERS 1 end t=1", "DATA 3 849"]);
    expect(server.told()).toEqual(["close 1", "drain 3"]);
  });

  test("a slow reader of a large body costs a bounded amount of output", () => {
    const server = new Harness().open([4, 2 ** 31 - 1]).send(windowUpdate(0, 2 ** 30), headers(1));
    server.connection.sendHead(server.stream(1), ok, false);
    let sent = 0;
    while (sent < 1e7 && server.connection.sendData(server.stream(1), bytes(10_000), false)) sent += 10_000;
    expect(sent).toBeLessThan(300_000);
    expect(server.connection.isBacklogged).toBe(true);
    server.connection.takeOutput();
    expect(server.connection.isBacklogged).toBe(false);
    server.connection.takeOutput();
    expect(server.told().at(-1)).toBe("drain 1");
  });

  test("windows smaller than the default hold once they are acknowledged", () => {
    const server = new Harness("server", { streamWindowBytes: 100 }).send(clientPreface, settings());
    server.send(headers(1, post, 4), data(1, "a".repeat(200)), settingsAck, headers(3, post, 4));
    server.sent();
    server.send(data(3, "a".repeat(100)), data(3, "a"));
    expect(server.sent()).toEqual(["RST 3 3"]);
  });
});

describe("the end", () => {
  test("sends GOAWAY twice, and ends with the last stream", () => {
    const server = new Harness().open().send(headers(1, post, 4));
    server.connection.goaway();
    expect(server.sent()).toEqual([`GOAWAY 0 ${2 ** 31 - 1} 0`, "PING 0"]);
    server.send(headers(3));
    server.send(frame(6, 1, 0, [...uint32(0x6d77_0002), ...uint32(0)]));
    expect(server.sent()).toEqual(["GOAWAY 0 3 0"]);
    server.send(headers(5, post, 4), data(5, "ignored"), data(1, "a", 1));
    server.told();
    for (const id of [1, 3]) server.connection.sendHead(server.stream(id), ok, true);
    expect(server.told()).toEqual(["close 1", "close 3", "closed"]);
    expect(server.sent()).toEqual(["HEADERS 1 end :status=200", "HEADERS 3 end :status=200"]);
  });

  test("tells a client which of its streams were not processed", () => {
    const client = new Harness("client").open();
    for (let count = 0; count < 3; count++) client.connection.open(post, true);
    client.send(frame(7, 0, 0, [...uint32(3), ...uint32(0), 98, 121, 101]));
    expect(client.told()).toEqual(["close 5 7", "goaway 0 bye"]);
    expect(client.connection.open(post, true)).toBeUndefined();
    client.send(headers(1, ok), headers(3, ok));
    expect(client.told().at(-1)).toBe("closed");
  });

  test("of the socket cancels the streams", () => {
    const server = new Harness().open().send(headers(1, post, 4), headers(3));
    server.told();
    server.connection.close();
    expect(server.told()).toEqual(["close 1 8", "close 3 8", "closed"]);
  });

  test("a client opens no more streams than the server allows", () => {
    const client = new Harness("client").open([3, 1]);
    expect(client.connection.open(post, true)?.id).toBe(1);
    expect(client.connection.open(post, true)).toBeUndefined();
    client.send(headers(1, ok));
    expect(client.connection.open(post, true)?.id).toBe(3);
  });
});

describe("abuse", () => {
  const ping = frame(6, 0, 0, bytes(8));
  /** Each is more than the limits of the test allow. */
  const floods: readonly [what: string, frames: readonly Uint8Array[]][] = [
    ["PING", repeat(100, () => ping)],
    ["SETTINGS", repeat(100, () => settings())],
    ["PRIORITY", repeat(100, () => frame(2, 0, 9, [...uint32(1), 0]))],
    ["unknown frames", repeat(100, () => frame(99, 0, 0))],
    ["WINDOW_UPDATE", repeat(100, () => windowUpdate(0, 1))],
    ["DATA without bytes", [headers(1, post, 4), ...repeat(100, () => data(1, ""))]],
    [
      "resets",
      repeat(100, (index) => headers(2 * index + 1, post, 4)).flatMap((one, index) => [one, rst(2 * index + 1)]),
    ],
    [
      "resets that we are made to send",
      repeat(100, (index) => headers(2 * index + 1)).flatMap((one, index) => [one, windowUpdate(2 * index + 1, 0)]),
    ],
    ["malformed requests", repeat(100, (index) => headers(2 * index + 1, ok))],
    ["streams over the limit", repeat(100, (index) => headers(2 * index + 1, post, 4))],
    ["CONTINUATION", [headers(1, post, 1), ...repeat(100, () => frame(9, 0, 1, [0x40]))]],
    ["CONTINUATION without bytes", [headers(1, post, 1), ...repeat(100, () => frame(9, 0, 1))]],
    ["a long header block", [headers(1, post, 1), ...repeat(5, () => frame(9, 0, 1, bytes(16_000)))]],
    ["entries of SETTINGS", [settings(...repeat(40, () => ping).map(() => [99, 1] as const))]],
  ];
  const limits = {
    controlBurst: 20,
    resetBurst: 20,
    streamErrors: 20,
    refusedStreams: 20,
    concurrentStreams: 40,
    continuationFrames: 16,
  };
  test.each(floods)("a flood of %s ends the connection", (_, frames) => {
    const server = new Harness("server", limits).open().send(...frames);
    expect(server.error?.code).toBe(11);
    expect(server.connection.streamCount).toBe(0);
    expect(server.sent().at(-1)).toMatch(/^GOAWAY 0 [0-9]+ 11$/);
  });

  test("slow or paid frames are not a flood", () => {
    const server = answering(new Harness("server", limits).open());
    for (let index = 0; index < 1000; index++) {
      server.now += 5;
      server.send(headers(2 * index + 1), ping, windowUpdate(0, 1));
      server.sent();
    }
    expect(server.error).toBeUndefined();
  });

  test("acknowledgements that are not read end the connection", () => {
    const server = new Harness().open();
    for (let count = 0; count < 5000 && !server.connection.isClosed; count++) server.send(ping);
    expect(server.error?.code).toBe(11);
    expect(server.connection.outputBytes).toBeLessThan(70_000);
  });

  test("responses that are not read end the connection", () => {
    const server = new Harness("server", { unsentBytes: 100_000 }).open();
    server.onCall = (event, stream) => {
      if (event === "end")
        server.connection.sendHead(
          stream,
          fieldsOf([
            [":status", "200"],
            ["a", "b".repeat(500)],
          ]),
          true,
        );
    };
    for (let id = 1; id < 4000 && !server.connection.isClosed; id += 2) server.send(headers(id));
    expect(server.error?.code).toBe(11);
  });

  test("an honest client may cancel 100,000 calls, and its next call is served", () => {
    const server = answering(new Harness().open());
    const round = 200;
    for (let first = 1; first < 200_000; first += round) {
      const ids = Array.from({ length: round / 2 }, (_, index) => first + 2 * index);
      server.send(...ids.map((id) => headers(id, post, 4)), ...ids.map((id) => rst(id)));
      server.streams.clear();
      server.told();
    }
    server.send(headers(200_001));
    expect(server.told().at(-1)).toBe("close 200001");
    expect(server.connection.streamCount).toBe(0);
  });

  test("a peer that never acknowledges our SETTINGS is disconnected", () => {
    const server = new Harness().send(clientPreface.subarray(0, 10));
    server.connection.tick(10_000);
    expect(server.error).toBeUndefined();
    server.connection.tick(10_001);
    expect(server.error?.code).toBe(4);
  });

  test("a stream whose window never opens is reset", () => {
    const server = new Harness().open([4, 0]).send(headers(1));
    server.connection.sendHead(server.stream(1), ok, false);
    server.connection.sendData(server.stream(1), bytes(1), true);
    server.sent();
    for (const now of [1000, 61_000, 61_001]) server.connection.tick(now);
    expect(server.sent()).toEqual(["RST 1 11"]);
  });

  test("a peer that reads no output is disconnected", () => {
    const server = new Harness().open().send(ping);
    for (const now of [1000, 61_000]) server.connection.tick(now);
    expect(server.error).toBeUndefined();
    server.connection.tick(61_001);
    expect(server.error?.code).toBe(11);
  });
});
