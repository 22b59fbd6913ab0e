// Random lists of fields through an encoder and a decoder.
import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "../../../../server/http2/hpack/decoder.js";
import { HpackEncoder, PreparedFields } from "../../../../server/http2/hpack/encoder.js";
import { createField, type Field } from "../../../../server/http2/hpack/field.js";
import { staticTable } from "../../../../server/http2/hpack/static-table.js";
import { encode, noLimit } from "./support.js";

const secret = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

const latin1 = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const staticFields = staticTable.filter((field) => field !== undefined);
const name = fc.oneof(
  fc.constantFrom(...staticFields.map((field) => field.name), "grpc-status", "x-a", "x-b", ""),
  latin1(20),
);
const value = fc.oneof(
  fc.constantFrom("", "0", "application/grpc", ...staticFields.map((field) => field.value)),
  fc.string(),
  latin1(20),
  // Lengths around the borders of an integer's prefix, of a field that is indexed and of the table.
  fc.constantFrom(126, 127, 128, 254, 255, 511, 512, 4000, 4064, 4096, 20_000).map((length) => "é".repeat(length)),
);
const field = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...staticFields) },
  { weight: 5, arbitrary: fc.tuple(name, value, fc.boolean()).map(([n, v, s]) => createField(n, v, s)) },
  { weight: 5, arbitrary: fc.nat(9).map((n) => createField(`x-${n % 3}`, `${n}`)) },
);
const list = fc.array(field, { maxLength: 12 });
const tableBytes = fc.oneof(fc.constantFrom(0, 32, 64, 100, 256, 4095, 4096, 4097, 65_536), fc.nat(5000));
const step = fc.oneof(
  { weight: 6, arbitrary: list.map((fields) => ({ fields })) },
  { weight: 4, arbitrary: fc.nat(3).map((prepared) => ({ prepared })) },
  { weight: 1, arbitrary: tableBytes.map((maxTableBytes) => ({ maxTableBytes })) },
);

/** What the peer sees. */
const received = (fields: readonly Field[]) =>
  fields.map(({ name, value, isSensitive }) => createField(name, value, isSensitive || secret.has(name)));

test("a decoder reads what an encoder writes, for any table size", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(list, { minLength: 4, maxLength: 4 }), (steps, heads) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      const prepared = heads.map((head) => new PreparedFields(head));
      for (const step of steps) {
        if ("maxTableBytes" in step) {
          encoder.setMaxTableBytes(step.maxTableBytes);
          decoder.setMaxTableBytes(step.maxTableBytes);
          continue;
        }
        const part = "fields" in step ? step.fields : (prepared[step.prepared] as PreparedFields);
        const fields = part instanceof PreparedFields ? part.fields : part;
        const actual = decoder.decode(encode(encoder, part), noLimit);
        expect(actual).toEqual(received(fields));
      }
    }),
    { numRuns: 1000 },
  );
});
