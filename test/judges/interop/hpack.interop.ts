// Python's hpack reads what our encoder writes, writes what our decoder reads, and refuses what it refuses.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../server/byte-writer.js";
import { HpackError } from "../../../server/http2/hpack/block-reader.js";
import { HpackDecoder } from "../../../server/http2/hpack/decoder.js";
import { HpackEncoder, PreparedFields } from "../../../server/http2/hpack/encoder.js";
import { createField, type Field, isSecretName } from "../../../server/http2/hpack/field.js";
import { mutate, randomRequest } from "../../support/hpack-blocks.js";
import { outputOf } from "../../support/program.js";
import { Random, seed } from "../../support/random.js";
import { python } from "./tools.js";

const connections = 50;
const blocksPerConnection = 40;
const noLimit = 2 ** 31 - 1;
const tableSizes = [4096, 4096, 4096, 0, 33, 64, 200, 1000, 65_536];
const peer = fileURLToPath(new URL("python/hpack_peer.py", import.meta.url));

type PythonField = [name: string, value: string, isSensitive: boolean];
type Step =
  | { readonly maxTableBytes: number }
  | { readonly block: string }
  | { readonly fields: readonly PythonField[]; readonly huffman: boolean };
type Result = PythonField[] | string | null;

async function runPython(steps: readonly (readonly Step[])[]): Promise<Result[][]> {
  return JSON.parse(await outputOf(python, [peer], { stdin: JSON.stringify(steps), limitMs: 100_000 }));
}

const toPython = ({ name, value, isSensitive = false }: Field): PythonField => [name, value, isSensitive];
/** As a reader sees what our encoder writes. */
const asSent = ({ name, value, isSensitive }: Field) =>
  createField(name, value, isSensitive === true || isSecretName(name));

function encode(encoder: HpackEncoder, fields: readonly Field[] | PreparedFields): Uint8Array {
  const into = new ByteWriter();
  encoder.encode(fields, into);
  return into.take();
}

const toHex = (block: Uint8Array) => Buffer.from(block).toString("hex");

test("hpack reads what we write", { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  const expected: Result[][] = [];
  const steps = Array.from({ length: connections }, () => {
    const encoder = new HpackEncoder();
    const results: Result[] = [];
    expected.push(results);
    return random.several(1, blocksPerConnection, (): Step => {
      if (random.chance(0.1)) {
        const maxTableBytes = random.pick(tableSizes);
        encoder.setMaxTableBytes(maxTableBytes);
        results.push(null);
        return { maxTableBytes };
      }
      const fields = randomRequest(random);
      results.push(fields.map(asSent).map(toPython));
      return { block: toHex(encode(encoder, random.chance(0.5) ? fields : new PreparedFields(fields))) };
    });
  });
  expect(await runPython(steps)).toEqual(expected);
});

test("we read what hpack writes", { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  const lists: [name: string, value: string][][] = [];
  const steps = Array.from({ length: connections }, () =>
    random.several(1, blocksPerConnection, (index): Step => {
      // Never two changes before one block: hpack signals all of them, and not the smallest and the last only (§4.2).
      if (index % 2 === 0 && random.chance(0.2)) return { maxTableBytes: random.pick(tableSizes) };
      const fields = randomRequest(random);
      lists.push(namesAndValues(fields));
      return { fields: fields.map(toPython), huffman: random.chance(0.5) };
    }),
  );
  const results = await runPython(steps);
  for (const [connection, blocks] of results.entries()) {
    const decoder = new HpackDecoder();
    for (const [index, block] of blocks.entries()) {
      const step = steps[connection]?.[index];
      if (step !== undefined && "maxTableBytes" in step) decoder.setMaxTableBytes(step.maxTableBytes);
      else expect(namesAndValues(decoder.decode(Buffer.from(String(block), "hex"), noLimit))).toEqual(lists.shift());
    }
  }
  expect(lists).toEqual([]);
});

/** Not whether they are sensitive: hpack sends such a field as an index if the static table has it. */
function namesAndValues(fields: readonly Field[] = []): [name: string, value: string][] {
  return fields.map(({ name, value }) => [name, value]);
}

/** What hpack takes and we do not. RFC 7541 §4.2 allows two table size updates at most. */
const stricter = /a third table size update/;

test("we refuse what hpack refuses, and read alike what it reads", { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  const ours: Result[][] = [];
  const strict = new Set<number>();
  const steps = Array.from({ length: connections * 4 }, (_, connection) => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()];
    const results: Result[] = [];
    ours.push(results);
    return random.several(1, blocksPerConnection, (): Step => {
      const whole = encode(encoder, randomRequest(random));
      const block = random.chance(0.5) ? mutate(whole, random) : whole;
      if (results.at(-1) !== null) results.push(read(decoder, block, () => strict.add(connection)));
      return { block: toHex(block) };
    });
  });
  const theirs = await runPython(steps);
  const different = ours.flatMap((results, index) =>
    strict.has(index) || JSON.stringify(results) === JSON.stringify(theirs[index])
      ? []
      : [{ steps: steps[index]?.slice(0, results.length), ours: results.at(-1), theirs: theirs[index]?.at(-1) }],
  );
  expect(different.slice(0, 2), `seed ${seed}`).toEqual([]);
  expect(ours.filter((results) => results.at(-1) === null).length).toBeGreaterThan(connections);
});

function read(decoder: HpackDecoder, block: Uint8Array, onStricter: () => void): Result {
  try {
    return (decoder.decode(block, noLimit) ?? []).map(toPython);
  } catch (error) {
    if (!(error instanceof HpackError)) throw error;
    if (stricter.test(error.message)) onStricter();
    return null;
  }
}
