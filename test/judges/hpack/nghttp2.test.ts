// nghttp2, in Node's http2, reads what our encoder writes, writes what our decoder reads, and refuses what it refuses.
// MANYWIRE_HPACK_BLOCKS is how many blocks of each kind; MANYWIRE_SEED repeats a run.
import { sensitiveHeaders } from "node:http2";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../server/byte-writer.js";
import { HpackError } from "../../../server/http2/hpack/block-reader.js";
import { HpackDecoder } from "../../../server/http2/hpack/decoder.js";
import { HpackEncoder, PreparedFields } from "../../../server/http2/hpack/encoder.js";
import { createField, type Field } from "../../../server/http2/hpack/field.js";
import { mutate, randomRequest } from "../../support/hpack-blocks.js";
import { Random, seed } from "../../support/random.js";
import { type NameAndValue, Nghttp2Reader, Nghttp2Writer, type Verdict } from "./nghttp2.js";

const count = Number(process.env.MANYWIRE_HPACK_BLOCKS ?? 1000);
const blocksPerConnection = 40;
const noLimit = 2 ** 31 - 1;
const tableSizes = [4096, 4096, 4096, 0, 33, 64, 200, 1000, 65_536];

const pairs = (fields: readonly Field[]) => fields.map(({ name, value }) => [name, value] as const);
const hex = (block: Uint8Array) => Buffer.from(block).toString("hex");

/** nghttp2 leaves out what HTTP does not allow, and spaces around values. */
function received(fields: readonly Field[]): NameAndValue[] {
  return pairs(fields).map(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, "")]);
}

function encode(encoder: HpackEncoder, fields: readonly Field[] | PreparedFields): Uint8Array {
  const into = new ByteWriter();
  encoder.encode(fields, into);
  return into.take();
}

test("nghttp2 reads what we write", { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  for (let done = 0; done < count; done += blocksPerConnection) {
    const tableSize = random.pick(tableSizes);
    using reader = new Nghttp2Reader(tableSize);
    const encoder = new HpackEncoder();
    encoder.setMaxTableBytes(tableSize);
    const prepared = random.several(1, 5, () => new PreparedFields(randomRequest(random)));
    for (let index = 0; index < blocksPerConnection; index++) {
      const known = random.pick(prepared);
      const others = () =>
        new PreparedFields(random.chance(0.5) ? randomRequest(random) : changed(known.fields, random));
      const head = random.chance(0.5) ? known : others();
      const block = encode(encoder, random.chance(0.5) ? head : head.fields);
      const expected: Verdict = { kind: "fields", fields: received(head.fields) };
      expect(await reader.read(block), `seed ${seed}, block ${hex(block)}`).toEqual(expected);
    }
  }
});

test("we read what nghttp2 writes", { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  for (let done = 0; done < count; done += blocksPerConnection) {
    using writer = new Nghttp2Writer();
    const decoder = new HpackDecoder();
    for (let index = 0; index < blocksPerConnection; index++) {
      if (random.chance(0.1)) {
        const size = random.pick(tableSizes);
        await writer.setHeaderTableSize(size);
        decoder.setMaxTableBytes(size);
      }
      const fields = randomRequest(random);
      const headers = headersOf(fields);
      const sensitive = fields.filter(({ isSensitive }) => isSensitive).map(({ name }) => name);
      const block = await writer.write({ ...headers, [sensitiveHeaders]: sensitive });
      const decoded = decoder.decode(block, noLimit) ?? [];
      expect(pairs(decoded), `seed ${seed}, block ${hex(block)}`).toEqual(pairsOf(headers));
      const neverIndexed = decoded.filter(({ isSensitive }) => isSensitive).map(({ name }) => name);
      expect(neverIndexed).toEqual(expect.arrayContaining(sensitive));
    }
  }
});

/** Another list, with the same fields but for a value. */
function changed(fields: readonly Field[], random: Random): readonly Field[] {
  const place = random.below(fields.length);
  const field = fields[place] as Field;
  return field.name.startsWith(":") ? fields : fields.with(place, createField(field.name, `${random.below(1000)}`));
}

type Headers = Record<string, string | string[]>;

/** The fields in Node's form. It takes several values only of names that it does not know. */
function headersOf(fields: readonly Field[]): Headers {
  const headers: Headers = Object.create(null);
  for (const { name, value } of fields) {
    headers[name] = name.startsWith("x-") ? [headers[name] ?? [], value].flat() : value;
  }
  return headers;
}

function pairsOf(headers: Headers): NameAndValue[] {
  return Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const));
}

/** Blocks that nghttp2 and we judge differently, and why. */
const differences: Record<string, (error: HpackError) => boolean> = {
  // RFC 7541 §4.2 allows two at most.
  "nghttp2 takes more than two table size updates": (error) => error.message.includes("a third table size update"),
};

test("we refuse what nghttp2 refuses, and read alike what it reads", { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  const seen: Record<string, number> = {};
  const different: string[] = [];
  for (let done = 0; done < count; ) {
    using reader = new Nghttp2Reader();
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()];
    for (let index = 0; index < blocksPerConnection; index++) {
      done++;
      const whole = encode(encoder, randomRequest(random));
      const block = random.chance(0.7) ? mutate(whole, random) : whole;
      const theirs = await reader.read(block);
      const ours = decode(decoder, block);
      const outcome = compare(ours, theirs);
      seen[outcome] = (seen[outcome] ?? 0) + 1;
      if (outcome === "different")
        different.push(`block ${hex(block)}: ${describe(ours)}, nghttp2: ${describe(theirs)}`);
      if (ours instanceof HpackError || theirs.kind === "refused" || theirs.kind === "ended") break;
    }
  }
  expect(different.slice(0, 5), `seed ${seed}`).toEqual([]);
  expect(seen).toMatchObject({
    refused: expect.any(Number),
    read: expect.any(Number),
    "read, no request": expect.any(Number),
  });
});

function decode(decoder: HpackDecoder, block: Uint8Array): readonly Field[] | HpackError {
  try {
    return decoder.decode(block, noLimit) ?? [];
  } catch (error) {
    if (error instanceof HpackError) return error;
    throw error;
  }
}

function compare(ours: readonly Field[] | HpackError, theirs: Verdict): string {
  if (theirs.kind === "ended") return "ended for another reason";
  if (ours instanceof HpackError) {
    if (theirs.kind === "refused") return "refused";
    const known = Object.keys(differences).find((name) => differences[name]?.(ours) === true);
    return known ?? "different";
  }
  if (theirs.kind === "refused") return "different";
  if (theirs.kind === "no-request") return "read, no request";
  return isSame(received(ours.filter(isHttp)), theirs.fields) ? "read" : "different";
}

/** Whether HTTP/2 allows the field (RFC 9113 §8.2.1). nghttp2 leaves out others. */
function isHttp({ name, value }: Field): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is not allowed
  return /^:?[-!#$%&'*+.^_`|~0-9a-z]+$/.test(name) && !/[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/.test(value);
}

function isSame(ours: readonly NameAndValue[], theirs: readonly NameAndValue[]): boolean {
  return JSON.stringify(ours) === JSON.stringify(theirs);
}

function describe(result: readonly Field[] | HpackError | Verdict): string {
  return result instanceof HpackError ? result.message : JSON.stringify(result);
}
