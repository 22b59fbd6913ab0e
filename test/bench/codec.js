// Measures the codec alone, on messages as bookshops have them: time as a share of what protobuf-es, protobufjs, JSON.parse
// and JSON.stringify take. protobufjs makes code of the schema at run time, which is that of its static modules.
//
//   node test/bench/codec.js [--rounds 30] [--json]
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  create,
  createFileRegistry,
  fromBinary,
  fromJsonString,
  toBinary,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import protobufjs from "protobufjs";
import { cacheFolder, importFrom, root } from "./schema.js";

/** @typedef {{ name: string, run: () => unknown }} Contender */
/** @typedef {import("@bufbuild/protobuf").DescMessage} DescMessage */

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
const { createJsonEncoder } = await importFrom(options.dist, "server/codec/json-write.js");

const protoFile = join(root, "test/proto/manywire/test/codec/v1/book.proto");
const imageFile = join(cacheFolder, "book.binpb");
mkdirSync(cacheFolder, { recursive: true });
execFileSync(join(root, "node_modules/.bin/buf"), ["build", "test/proto", "--path", protoFile, "-o", imageFile], {
  cwd: root,
});
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(imageFile)));
const typeName = "manywire.test.codec.v1.Shelf";
const desc = /** @type {DescMessage} */ (registry.getMessage(typeName));
const ShelfType = new protobufjs.Root().loadSync(protoFile).lookupType(typeName);

/** @param {number} count how many books there are, and how much each has of everything */
function shelf(count) {
  return create(desc, {
    name: "shops/leipzig/shelves/fiction",
    books: Array.from({ length: count }, (_, index) => book(index)),
    nextPageToken: "CAEQ4Ku7mLzXhQMaDGJvb2tzLzEwMDA0Mg",
  });
}

/** @param {number} index */
function book(index) {
  return {
    name: `shops/leipzig/books/${1000 + index}`,
    title: ["The Left Hand of Darkness", "Die Wand", "Straßen nach Süden"][index % 3],
    authors: [
      { name: "Ursula K. Le Guin", born: 1929 },
      { name: "Marlen Haushofer", born: 1920 + index },
    ],
    published: { seconds: 1_700_000_000n + BigInt(index) * 86_400n, nanos: index % 2 === 0 ? 0 : 123_000_000 },
    catalogueNumber: 9_783_548_605_715n + BigInt(index),
    price: 12.5 + index / 10,
    stock: [3, 150, 0, 12, 7 + index],
    cover: Uint8Array.from({ length: 24 }, (__, at) => at * index),
    binding: 1 + (index % 2),
    labels: { genre: "science fiction", language: "en", shelf: `A${index}`, condition: "as new" },
    rating: 4.5,
    subtitle: index % 2 === 0 ? "A novel" : undefined,
    sale:
      index % 2 === 0
        ? { case: "shop", value: "Leipzig Hauptbahnhof" }
        : { case: "agent", value: { name: "Zweitausendeins" } },
  };
}

/** One size of message, and everything that is done with it. @param {number} count */
function contest(count) {
  const message = shelf(count);
  const bytes = toBinary(desc, message);
  const json = Buffer.from(toJsonString(desc, message));
  const plain = toJson(desc, message);
  const theirs = ShelfType.decode(bytes);
  const codec = createBinaryCodec(desc);
  const decodeJson = createJsonDecoder(desc, {});
  const encodeJson = createJsonEncoder(desc, {});
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
        { name: "manywire", run: () => Buffer.from(encodeJson(message)) },
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

const rows = [1, 9, 85].flatMap((count) => {
  const { binaryBytes, jsonBytes, tasks } = contest(count);
  return tasks.map(([task, contenders]) => {
    const best = race(contenders);
    const [ours = 0, ...others] = best;
    const ratios = Object.fromEntries(others.map((other, index) => [contenders[index + 1]?.name, ours / other]));
    return { task, bytes: task.startsWith("JSON") ? jsonBytes : binaryBytes, us: ours, ratios };
  });
});

/** @param {string} text */
const print = (text) => process.stdout.write(`${text}\n`);

if (options.json) print(JSON.stringify({ node: process.version, rows }));
else {
  print(`Node ${process.version}: time of manywire, and as a share of what others take`);
  for (const { task, bytes, us, ratios } of rows) {
    const shares = Object.entries(ratios).map(([name, ratio]) => `${name} ${ratio.toFixed(2)}`.padEnd(20));
    const size = String(bytes).padStart(7);
    print(`${task.padEnd(12)}${size} B ${us.toFixed(2).padStart(9)} µs   ${shares.join("")}`);
  }
}
