// Measures the codec alone, on messages as bookshops have them: time as a share of what protobuf-es, protobufjs, JSON.parse
// and JSON.stringify take. protobufjs makes code of the schema at run time, which is that of its static modules.
//
//   node test/bench/codec.js [--rounds 30] [--json]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { create, fromBinary, fromJsonString, toBinary, toJson, toJsonString } from "@bufbuild/protobuf";
import { shelves } from "./books.js";
import { formatCodecRows } from "./report/text.js";
import { compileSchema, importFrom, loadProtobufjs, loadSchema, root } from "./schema.js";

/** @typedef {{ name: string, run: () => unknown }} Contender */
/** @typedef {import("@bufbuild/protobuf").DescMessage} DescMessage */

/**
 * @typedef {object} CodecRow
 * @property {string} task
 * @property {string} size of the message as protobuf, in words
 * @property {number} bytes
 * @property {number} us of manywire
 * @property {Record<string, number>} ratios other → manywire's time ÷ its time
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "30" },
    dist: { type: "string", default: join(root, "dist") },
    json: { type: "boolean", default: false },
  },
});
/** How long a contender runs before the next has its turn. */
const roundMs = 8;

const { createBinaryCodec } = await importFrom(options.dist, "server/codec/binary.js");
const { createJsonDecoder } = await importFrom(options.dist, "server/codec/json-read.js");
const { createJsonBytesEncoder } = await importFrom(options.dist, "server/codec/json-write.js");

compileSchema();
const { BenchService } = await loadSchema(options.dist);
const desc = /** @type {DescMessage} */ (BenchService.method.echoShelf?.input);
const ShelfType = loadProtobufjs().lookupType(desc.typeName);

/** One size of message, and everything that is done with it. @param {Record<string, unknown>} shelf */
function contest(shelf) {
  const message = create(desc, shelf);
  const bytes = toBinary(desc, message);
  const json = Buffer.from(toJsonString(desc, message));
  const plain = toJson(desc, message);
  const theirs = ShelfType.decode(bytes);
  const codec = createBinaryCodec(desc);
  const decodeJson = createJsonDecoder(desc, {});
  const encodeJson = createJsonBytesEncoder(desc, {});
  /** @type {[task: string, contenders: Contender[]][]} */
  const tasks = [
    [
      "decode",
      [
        { name: "manywire", run: () => codec.decode(bytes) },
        { name: "protobufjs", run: () => ShelfType.decode(bytes) },
        { name: "protobuf-es", run: () => fromBinary(desc, bytes) },
      ],
    ],
    [
      "encode",
      [
        { name: "manywire", run: () => codec.encode(message, 0) },
        { name: "protobufjs", run: () => ShelfType.encode(theirs).finish() },
        { name: "protobuf-es", run: () => toBinary(desc, message) },
      ],
    ],
    [
      "JSON read",
      [
        { name: "manywire", run: () => decodeJson(json) },
        { name: "JSON.parse", run: () => JSON.parse(json.toString()) },
        { name: "protobuf-es", run: () => fromJsonString(desc, json.toString()) },
      ],
    ],
    [
      "JSON write",
      [
        { name: "manywire", run: () => encodeJson(message, 0) },
        { name: "JSON.stringify", run: () => Buffer.from(JSON.stringify(plain)) },
        { name: "protobuf-es", run: () => Buffer.from(toJsonString(desc, message)) },
      ],
    ],
  ];
  return { binaryBytes: bytes.length, jsonBytes: json.length, tasks };
}

/** Runs a contender for some time. @param {Contender} contender @param {number} times @returns µs of one run */
function time({ run }, times) {
  const start = process.hrtime.bigint();
  for (let index = 0; index < times; index++) run();
  return Number(process.hrtime.bigint() - start) / times / 1000;
}

/** The best times of contenders that take turns, in µs. @param {Contender[]} contenders */
function race(contenders) {
  for (const contender of contenders) time(contender, 300);
  const times = contenders.map((contender) => Math.max(1, Math.ceil((roundMs * 1000) / time(contender, 50))));
  const best = contenders.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < Number(options.rounds); round++) {
    contenders.forEach((contender, index) => {
      best[index] = Math.min(best[index] ?? 0, time(contender, times[index] ?? 1));
    });
  }
  return best;
}

const rows = Object.entries(shelves).flatMap(([size, shelf]) => {
  const { binaryBytes, jsonBytes, tasks } = contest(shelf);
  return tasks.map(([task, contenders]) => {
    const best = race(contenders);
    const [ours = 0, ...others] = best;
    const ratios = Object.fromEntries(others.map((other, index) => [contenders[index + 1]?.name, ours / other]));
    return { task, size, bytes: task.startsWith("JSON") ? jsonBytes : binaryBytes, us: ours, ratios };
  });
});

process.stdout.write(options.json ? JSON.stringify(rows) : formatCodecRows(rows));
