// Random sequences of frames, as a client of HTTP/2 might send them, or nearly.
import { encodeFrame, encodeHeaders, frameFlags, frameTypes } from "../../support/http2-frames.js";
import type { Random } from "../../support/random.js";

/** One frame, and what it is called in the description of a sequence. */
export interface Step {
  readonly name: string;
  readonly type: number;
  readonly id: number;
  readonly bytes: Buffer;
}

const { endStream, endHeaders, ack } = frameFlags;
const padded = 8;
const withPriority = 0x20;

const request: readonly [string, string][] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "localhost"],
];

/** Changes of a request's fields, most of which make it malformed. */
const fieldChanges: readonly (readonly [name: string, change: (fields: [string, string][]) => void])[] = [
  ["no change", () => {}],
  ["no :method", (fields) => fields.splice(0, 1)],
  ["no :scheme", (fields) => fields.splice(1, 1)],
  ["no :path", (fields) => fields.splice(2, 1)],
  ["an empty :path", (fields) => fields.splice(2, 1, [":path", ""])],
  ["a :path without /", (fields) => fields.splice(2, 1, [":path", "x"])],
  ["two :path", (fields) => fields.splice(2, 0, [":path", "/2"])],
  ["an unknown pseudo-header field", (fields) => fields.splice(1, 0, [":other", "x"])],
  [":status", (fields) => fields.splice(1, 0, [":status", "200"])],
  ["a pseudo-header field at the end", (fields) => fields.push(["a", "b"], [":path", "/"])],
  ["an upper-case name", (fields) => fields.push(["Upper", "x"])],
  ["an empty name", (fields) => fields.push(["", "x"])],
  ["a space in a name", (fields) => fields.push(["a b", "x"])],
  ["connection", (fields) => fields.push(["connection", "close"])],
  ["transfer-encoding", (fields) => fields.push(["transfer-encoding", "chunked"])],
  ["te: gzip", (fields) => fields.push(["te", "gzip"])],
  ["te: trailers", (fields) => fields.push(["te", "trailers"])],
  ["NUL in a value", (fields) => fields.push(["a", "x\0y"])],
  ["LF in a value", (fields) => fields.push(["a", "x\ny"])],
  ["an empty value", (fields) => fields.push(["a", ""])],
  ["bytes over 0x7f in a value", (fields) => fields.push(["a", "\xe4\xff"])],
  ["content-length: 5", (fields) => fields.push(["content-length", "5"])],
  ["content-length: -1", (fields) => fields.push(["content-length", "-1"])],
  ["content-length twice", (fields) => fields.push(["content-length", "5"], ["content-length", "5"])],
  ["a host that agrees", (fields) => fields.push(["host", "localhost"])],
  ["several cookies", (fields) => fields.push(["cookie", "a=b"], ["cookie", "c=d"])],
  ["OPTIONS *", (fields) => fields.splice(0, 3, [":method", "OPTIONS"], [":scheme", "http"], [":path", "*"])],
];

/** Draws a sequence. Streams have ids from 1 to 9, mostly in order. */
export function drawSequence(random: Random): Step[] {
  let nextId = 1;
  const anyId = () => random.below(10);
  const knownId = () => Math.max(1, nextId - 2 * (1 + random.below(2)));
  const newId = () => {
    const id = nextId;
    nextId += random.chance(0.1) ? 4 : 2;
    return id;
  };
  return random.several(1, 8, () => drawStep(random, newId, knownId, anyId));
}

function drawStep(random: Random, newId: () => number, knownId: () => number, anyId: () => number): Step {
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return drawRequest(random, random.chance(0.9) ? newId() : anyId());
    case 4:
    case 5:
    case 6: {
      const id = random.chance(0.8) ? knownId() : anyId();
      const length = random.pick([0, 1, 5, 5, 5, 100]);
      const flags = random.pick([0, endStream]);
      return step(`DATA ${length}`, frameTypes.data, flags, id, Buffer.alloc(length, "d"));
    }
    case 7: {
      const id = random.chance(0.8) ? knownId() : anyId();
      const [name, field] = random.pick([
        ["trailers", ["x", "y"]],
        ["trailers with :path", [":path", "/"]],
        ["trailers in upper case", ["X", "y"]],
      ] as const);
      const flags = random.pick([endHeaders, endHeaders | endStream]);
      return step(name, frameTypes.headers, flags, id, encodeHeaders([field]));
    }
    case 8:
      return step(
        "RST_STREAM",
        frameTypes.rstStream,
        0,
        random.chance(0.8) ? knownId() : anyId(),
        uint32(random.pick([0, 8])),
      );
    case 9: {
      const id = random.chance(0.5) ? 0 : random.chance(0.8) ? knownId() : anyId();
      const increment = random.pick([0, 1, 1000, 65_535, 2 ** 31 - 1]);
      return step(`WINDOW_UPDATE ${increment}`, frameTypes.windowUpdate, 0, id, uint32(increment));
    }
    case 10: {
      const [name, id, value] = random.pick([
        ["HEADER_TABLE_SIZE", 1, 0],
        ["ENABLE_PUSH 2", 2, 2],
        ["INITIAL_WINDOW_SIZE", 4, 1000],
        ["INITIAL_WINDOW_SIZE 2^31", 4, 2 ** 31],
        ["MAX_FRAME_SIZE 1", 5, 1],
        ["MAX_FRAME_SIZE 2^20", 5, 2 ** 20],
        ["an unknown setting", 99, 7],
      ] as const);
      return step(`SETTINGS ${name}`, frameTypes.settings, 0, random.chance(0.9) ? 0 : 1, setting(id, value));
    }
    case 11: {
      const [name, flags] = random.pick([
        ["PING", 0],
        ["PING acknowledgement", ack],
      ] as const);
      return step(name, frameTypes.ping, flags, random.chance(0.9) ? 0 : 1, Buffer.alloc(random.pick([8, 8, 8, 7])));
    }
    case 12:
      return step(
        "PRIORITY",
        frameTypes.priority,
        0,
        random.pick([0, 1, 3, 9, 11]),
        Buffer.from([0, 0, 0, random.below(12), 1]),
      );
    case 13:
      return step("an unknown type", 0xee, random.below(256), anyId(), random.bytes(random.below(20)));
    case 14:
      return step("CONTINUATION", frameTypes.continuation, endHeaders, anyId(), encodeHeaders([["x", "y"]]));
    default:
      return step(
        "PUSH_PROMISE",
        frameTypes.pushPromise,
        endHeaders,
        anyId(),
        Buffer.concat([uint32(2), encodeHeaders(request)]),
      );
  }
}

function drawRequest(random: Random, id: number): Step {
  const fields = request.map(([name, value]): [string, string] => [name, value]);
  const [name, change] = random.chance(0.5)
    ? (fieldChanges[0] as (typeof fieldChanges)[number])
    : random.pick(fieldChanges);
  change(fields);
  const end = random.pick([0, endStream]);
  const block = encodeHeaders(fields);
  const [form, flags, payload] = random.pick([
    ["", 0, block],
    ["", 0, block],
    ["", 0, block],
    [", padded", padded, Buffer.concat([Buffer.of(3), block, Buffer.alloc(3)])],
    [", padded too far", padded, Buffer.concat([Buffer.of(250), block.subarray(0, 20)])],
    [", with a priority", withPriority, Buffer.concat([uint32(0), Buffer.of(9), block])],
  ] as const);
  return step(`HEADERS with ${name}${form}`, frameTypes.headers, flags | end | endHeaders, id, payload);
}

function step(name: string, type: number, flags: number, id: number, payload: Buffer): Step {
  const end =
    (type === frameTypes.data || type === frameTypes.headers) && (flags & endStream) !== 0 ? ", END_STREAM" : "";
  return { name: `${name} on ${id}${end}`, type, id, bytes: encodeFrame(type, flags, id, payload) };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}
