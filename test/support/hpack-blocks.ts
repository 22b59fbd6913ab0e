// Random fields, and header blocks that are almost right.
import { createField, type Field } from "../../server/http2/hpack/field.js";
import { staticTable } from "../../server/http2/hpack/static-table.js";
import type { Random } from "./random.js";

const names = [
  "content-type",
  "grpc-timeout",
  "user-agent",
  "x-a",
  "x-b",
  "accept",
  "authorization",
  "x-long-name-of-a-field",
];
/** Fields that HTTP/2 does not allow are left out: see RFC 9113 section 8.2.2. */
const staticNames = staticTable
  .flatMap((field) => (field === undefined || field.name.startsWith(":") ? [] : [field.name]))
  .filter((name) => !["host", "transfer-encoding", "content-length", "cookie", "expect"].includes(name));
const values = [
  "",
  "0",
  "application/grpc",
  "trailers",
  "gzip, deflate",
  "5000m",
  "a b\tc",
  "\xe9\xff\x80",
  "no-cache",
];
/** Around what one octet of a length holds, and what a table does. */
const lengths = [1, 126, 127, 128, 254, 255, 300, 512, 4000, 4064, 5000, 20_000];

/** Fields of a request that nghttp2 takes. */
export function randomRequest(random: Random): Field[] {
  const pseudo = [
    createField(":method", random.pick(["GET", "POST", "PUT"])),
    createField(":scheme", random.pick(["http", "https"])),
    createField(":authority", random.pick(["localhost", "localhost:50051", "www.example.com"])),
    createField(":path", random.pick(["/", "/index.html", "/hello_world.Greeter/SayHello", `/${random.below(50)}`])),
  ];
  const count = random.pick([0, 1, 2, 3, 5, 10, 60]);
  return [...pseudo, ...Array.from({ length: count }, () => randomField(random))];
}

function randomField(random: Random): Field {
  const name = random.chance(0.5) ? random.pick(names) : random.pick(staticNames);
  return createField(name, randomValue(random), random.chance(0.1));
}

function randomValue(random: Random): string {
  if (random.chance(0.5)) return random.pick(values);
  if (random.chance(0.5)) return `${random.below(1000)}`;
  const character = random.pick([..."0aZ~\xfe"]);
  return character.repeat(random.chance(0.8) ? random.below(40) : random.pick(lengths));
}

/** First octets, and octets of integers, that decide most. */
const octets = [0x00, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbe, 0xbf, 0xc0, 0xff];
const inserted = [
  "20",
  "202020",
  "3fe11f",
  "3fe21f",
  "3f00",
  "be",
  "bfbe",
  "4001610162",
  "0001620163",
  "ff8000",
  "7f8000",
  "418100",
  "41840000007f",
  "41850000007fff",
];

type Mutation = (block: Uint8Array, random: Random) => Uint8Array;

const mutations: readonly Mutation[] = [
  function change(block, random) {
    const copy = Buffer.from(block);
    if (copy.length > 0) copy[random.below(copy.length)] = random.chance(0.5) ? random.pick(octets) : random.below(256);
    return copy;
  },
  function flipBit(block, random) {
    const copy = Buffer.from(block);
    const at = random.below(copy.length);
    if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << random.below(8));
    return copy;
  },
  function cut(block, random) {
    return block.subarray(0, random.below(block.length + 1));
  },
  function lose(block, random) {
    const start = random.below(block.length + 1);
    return Buffer.concat([block.subarray(0, start), block.subarray(start + 1 + random.below(3))]);
  },
  function repeat(block, random) {
    const start = random.below(block.length + 1);
    const end = start + random.below(20);
    return Buffer.concat([block.subarray(0, end), block.subarray(start)]);
  },
  function insert(block, random) {
    const start = random.chance(0.3) ? 0 : random.below(block.length + 1);
    const strange = Buffer.from(random.pick(inserted), "hex");
    return Buffer.concat([block.subarray(0, start), strange, block.subarray(start)]);
  },
];

/** Returns the block with one to three changes. */
export function mutate(block: Uint8Array, random: Random): Uint8Array {
  const chosen = random.several(1, 3, () => random.pick(mutations));
  return chosen.reduce((bytes, mutation) => mutation(bytes, random), block);
}
