// Fields to header blocks: RFC 7541.
//
// What is cheapest for a call is one byte per field, for us, for the wire and for the peer, who then decodes no string. So
// what repeats goes into the dynamic table:
// - a head that is known to repeat (`PreparedFields`) at once, and from then on its block is a few bytes that are copied;
// - any other field when it is sent the second time, so that ids, lengths and timeouts do not push out what repeats.
// Each connection has its own indexes, so blocks of prepared heads are kept per encoder.
import type { ByteWriter } from "../byte-writer.js";
import { EncoderTable } from "./encoder-table.js";
import { type Field, fieldOverheadBytes } from "./field.js";
import { encodeHuffman, huffmanLength, latin1At } from "./huffman.js";
import { writeInteger } from "./integer.js";
import { staticTable } from "./static-table.js";

/** SETTINGS_HEADER_TABLE_SIZE where nothing else has been said, and all that we use of a larger one. */
const maxTableBytes = 4096;
/** Larger fields would push out too much. */
const maxIndexedBytes = 512;
/** Prepared heads whose blocks are kept. */
const maxKept = 16;
/** Values that are remembered in order to see whether they come again. */
const maxSeen = 64;

/** Flags of the first octet, and in how many bits after them the index begins (RFC 7541 §6). */
const indexed = { flags: 0x80, prefixBits: 7 } as const;
const withIndexing = { flags: 0x40, prefixBits: 6 } as const;
const sizeUpdate = { flags: 0x20, prefixBits: 5 } as const;
const neverIndexed = { flags: 0x10, prefixBits: 4 } as const;
const withoutIndexing = { flags: 0x00, prefixBits: 4 } as const;

/** Secrets, that no table may have: what is in a table can be guessed by its effect on lengths (RFC 7541 §7.1). */
const secretNames: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

/** Fields that are sent again and again: indexed at once, and encoded once per connection. */
export class PreparedFields {
  readonly fields: readonly Field[];

  /** @param fields must not change afterwards */
  constructor(fields: readonly Field[]) {
    this.fields = fields;
  }
}

interface KeptBlock {
  readonly prepared: PreparedFields;
  /** Of the table that its indexes count in. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

export class HpackEncoder {
  readonly #table = new EncoderTable(maxTableBytes);
  readonly #kept: KeptBlock[] = [];
  #nextKept = 0;
  /** Values of fields sent once, and the names that they had. */
  readonly #seen = new Map<string, string>();
  /** The smallest and the last size of the table that the peer has set since the last block. */
  #smallestBytes: number | undefined;
  #lastBytes = maxTableBytes;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block tells it what we use of that. */
  setMaxTableBytes(bytes: number): void {
    this.#lastBytes = Math.min(bytes, maxTableBytes);
    this.#smallestBytes = Math.min(this.#smallestBytes ?? this.#table.maxBytes, this.#lastBytes);
  }

  /**
   * Appends a header block. It may be written in parts, by calls one after the other: a prepared part and what is different
   * in each call. A character over 0xff, which no field may have, becomes "?".
   */
  encode(fields: readonly Field[] | PreparedFields, into: ByteWriter): void {
    if (this.#smallestBytes !== undefined) this.#writeSizeUpdates(this.#smallestBytes, into);
    if (fields instanceof PreparedFields) this.#writePrepared(fields, into);
    else for (const field of fields) this.#writeField(field, false, into);
  }

  #writeSizeUpdates(smallest: number, into: ByteWriter): void {
    this.#smallestBytes = undefined;
    // Nothing has changed for us if it never fell below what we use.
    if (smallest < this.#table.maxBytes) this.#resize(smallest, into);
    if (this.#lastBytes > this.#table.maxBytes) this.#resize(this.#lastBytes, into);
  }

  #resize(bytes: number, into: ByteWriter): void {
    this.#table.resize(bytes);
    writeInteger(into, bytes, sizeUpdate.prefixBits, sizeUpdate.flags);
  }

  #writePrepared(prepared: PreparedFields, into: ByteWriter): void {
    const { version } = this.#table;
    const kept = this.#kept.find((block) => block.prepared === prepared);
    if (kept !== undefined && kept.version === version) {
      into.write(kept.bytes);
      return;
    }
    const start = into.position;
    for (const field of prepared.fields) this.#writeField(field, true, into);
    // A block that has changed the table is not the same the next time.
    if (this.#table.version === version)
      this.#keep({ prepared, version, bytes: into.bytes.slice(start, into.position) });
  }

  #keep(block: KeptBlock): void {
    const old = this.#kept.findIndex(({ prepared }) => prepared === block.prepared);
    this.#kept[old >= 0 ? old : this.#nextKept++ % maxKept] = block;
  }

  #writeField(field: Field, isPrepared: boolean, into: ByteWriter): void {
    const { name, value } = field;
    const known = staticNames.get(name);
    if (field.isSensitive === true || known?.isSecret === true) {
      this.#writeLiteral(neverIndexed, this.#table.indexOfName(name) ?? known?.index ?? 0, field, into);
      return;
    }
    const index = known?.values.get(value) ?? this.#table.indexOf(name, value);
    if (index !== undefined) {
      writeInteger(into, index, indexed.prefixBits, indexed.flags);
      return;
    }
    const nameIndex = known?.index ?? this.#table.indexOfName(name) ?? 0;
    if (this.#isWorthIndexing(name, value, isPrepared)) {
      this.#writeLiteral(withIndexing, nameIndex, field, into);
      this.#table.insertField(name, value);
    } else {
      this.#writeLiteral(withoutIndexing, nameIndex, field, into);
    }
  }

  #isWorthIndexing(name: string, value: string, isPrepared: boolean): boolean {
    const bytes = name.length + value.length + fieldOverheadBytes;
    if (bytes > maxIndexedBytes || bytes > this.#table.maxBytes) return false;
    if (isPrepared || this.#seen.get(value) === name) return true;
    if (this.#seen.size >= maxSeen) this.#seen.clear();
    this.#seen.set(value, name);
    return false;
  }

  #writeLiteral(kind: { flags: number; prefixBits: number }, nameIndex: number, field: Field, into: ByteWriter): void {
    writeInteger(into, nameIndex, kind.prefixBits, kind.flags);
    if (nameIndex === 0) writeString(field.name, into);
    writeString(field.value, into);
  }
}

function writeString(text: string, into: ByteWriter): void {
  const length = huffmanLength(text);
  if (length < text.length) {
    writeInteger(into, length, 7, 0x80);
    into.reserve(length);
    into.position = encodeHuffman(text, into.bytes, into.position);
  } else {
    writeInteger(into, text.length, 7, 0);
    into.reserve(text.length);
    const { bytes, position } = into;
    for (let index = 0; index < text.length; index++) bytes[position + index] = latin1At(text, index);
    into.position = position + text.length;
  }
}

interface StaticName {
  /** Of the first entry with the name. */
  readonly index: number;
  /** Value → index. */
  readonly values: Map<string, number>;
  readonly isSecret: boolean;
}

const staticNames: ReadonlyMap<string, StaticName> = collectStaticNames();

function collectStaticNames(): ReadonlyMap<string, StaticName> {
  const names = new Map<string, StaticName>();
  for (const [index, field] of staticTable.entries()) {
    if (field === undefined) continue;
    const known = names.get(field.name) ?? { index, values: new Map(), isSecret: secretNames.has(field.name) };
    known.values.set(field.value, index);
    names.set(field.name, known);
  }
  return names;
}
