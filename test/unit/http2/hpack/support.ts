import { ByteWriter } from "../../../../server/byte-writer.js";
import type { HpackDecoder } from "../../../../server/http2/hpack/decoder.js";
import type { HpackEncoder, PreparedFields } from "../../../../server/http2/hpack/encoder.js";
import { createField, type Field } from "../../../../server/http2/hpack/field.js";

/** Larger than any list of a test. */
export const noLimit = 2 ** 31 - 1;

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

export function hex(block: Uint8Array): string {
  return Buffer.from(block).toString("hex");
}

/** Parses lines of `name: value`; a name in brackets is never indexed. */
export function fields(lines: string): Field[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [, open, name = "", value = ""] = /^(\[?)(:?[^:\]]+)\]?: ?(.*)$/.exec(line) ?? [];
      return createField(name, value, open === "[");
    });
}

export function encode(encoder: HpackEncoder, ...parts: (readonly Field[] | PreparedFields)[]): Uint8Array {
  const writer = new ByteWriter();
  for (const part of parts) encoder.encode(part, writer);
  return writer.take();
}

/** Decodes a block, and then returns what is in the dynamic table, the newest first. */
export function tableOf(decoder: HpackDecoder): Field[] {
  const entries: Field[] = [];
  for (let index = 62; ; index++) {
    try {
      // An index of 127 or more takes a second octet.
      const block = index < 127 ? [0x80 | index] : [0xff, index - 127];
      entries.push(...(decoder.decode(Uint8Array.from(block), noLimit) ?? []));
    } catch {
      return entries;
    }
  }
}
