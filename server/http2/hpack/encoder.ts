// Fields to header blocks: RFC 7541.
//
// What is cheapest for a call is one byte per field: for us, for the wire and for the peer, who then decodes no string. So what
// repeats goes into the dynamic table: prepared fields and new names at once, other fields when their value comes again, so that
// ids, lengths and timeouts push nothing out. Indexes belong to one connection, so blocks of prepared fields are kept per
// encoder: once their fields are in the table, a block is a few bytes that are copied.
//
// The Huffman code saves a fifth of a string and takes 2.5 times as long to write, so it is for fields that are written once
// per connection. What differs from call to call is written as it is.
import type { ByteWriter } from "../../byte-writer.js";
import { EncoderTable } from "./encoder-table.js";
import { type Field, fieldBytes, isSecretName } from "./field.js";
import { writeInteger } from "./integer.js";
import { staticTable } from "./static-table.js";
import { writeHuffmanString, writeString } from "./string.js";

/** SETTINGS_HEADER_TABLE_SIZE where nothing else has been said, and all that we use of a larger one. */
const maxTableBytes = 4096;
/** A larger field would push out too much. */
const maxIndexedBytes = 512;
/** Prepared fields of one connection whose blocks are kept. */
const maxKept = 16;
/** Places in lists of fields whose indexes are kept. */
const maxPlaces = 32;

/** Kinds of first octets: flags, and how many bits after them belong to the index or size (RFC 7541 §6). */
const indexed: Kind = { flags: 0x80, prefixBits: 7 };
const withIndexing: Kind = { flags: 0x40, prefixBits: 6 };
const sizeUpdate: Kind = { flags: 0x20, prefixBits: 5 };
const neverIndexed: Kind = { flags: 0x10, prefixBits: 4 };
const withoutIndexing: Kind = { flags: 0x00, prefixBits: 4 };

interface Kind {
  readonly flags: number;
  readonly prefixBits: number;
}

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
  /** Those that are sent more often stand further in front. */
  readonly #kept: KeptBlock[] = [];
  readonly #places = new Places();
  /** The smallest and the last size of the table that the peer has allowed since the last block. */
  #smallestBytes: number | undefined;
  #lastBytes = maxTableBytes;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block tells it what we use of that. */
  setMaxTableBytes(bytes: number): void {
    this.#lastBytes = Math.min(bytes, maxTableBytes);
    this.#smallestBytes = Math.min(this.#smallestBytes ?? this.#table.maxBytes, this.#lastBytes);
  }

  /**
   * Appends a header block. It may be written in parts, by calls one after the other: a prepared part and what is different
   * in each call. Secrets are never indexed. A character over 0xff, which no field may have, becomes "?".
   */
  encode(fields: readonly Field[] | PreparedFields, into: ByteWriter): void {
    if (this.#smallestBytes !== undefined) this.#writeSizeUpdates(this.#smallestBytes, into);
    if (fields instanceof PreparedFields) this.#writePrepared(fields, into);
    else for (let place = 0; place < fields.length; place++) this.#writeAt(place, fields[place] as Field, into);
  }

  /** Writes a field of a list. Lists that follow each other often have the very same fields at most places. */
  #writeAt(place: number, field: Field, into: ByteWriter): void {
    const { version } = this.#table;
    const known = this.#places.indexOf(place, field, version);
    if (known > 0) writeInteger(into, known, indexed.prefixBits, indexed.flags);
    else this.#places.set(place, field, version, this.#writeField(field, false, into));
  }

  #writeSizeUpdates(smallest: number, into: ByteWriter): void {
    this.#smallestBytes = undefined;
    // A peer that had less for a while has lost what did not fit, also if it has more again (RFC 7541 §4.2).
    if (smallest < this.#table.maxBytes) this.#resize(smallest, into);
    if (this.#lastBytes > this.#table.maxBytes) this.#resize(this.#lastBytes, into);
  }

  #resize(bytes: number, into: ByteWriter): void {
    this.#table.resize(bytes);
    writeInteger(into, bytes, sizeUpdate.prefixBits, sizeUpdate.flags);
  }

  #writePrepared(prepared: PreparedFields, into: ByteWriter): void {
    const { version } = this.#table;
    const place = this.#findKept(prepared);
    const kept = this.#kept[place];
    if (kept !== undefined && kept.version === version) {
      into.write(kept.bytes);
      return;
    }
    const start = into.position;
    for (const field of prepared.fields) this.#writeField(field, true, into);
    // A block that has changed the table is another one the next time.
    if (this.#table.version !== version) return;
    this.#kept[Math.min(place, maxKept - 1)] = { prepared, version, bytes: into.bytes.slice(start, into.position) };
  }

  /** Returns the place of the fields, or that after the last one. */
  #findKept(prepared: PreparedFields): number {
    const kept = this.#kept;
    let place = 0;
    while (place < kept.length && kept[place]?.prepared !== prepared) place++;
    if (place === 0 || place === kept.length) return place;
    const found = kept[place] as KeptBlock;
    kept[place] = kept[place - 1] as KeptBlock;
    kept[place - 1] = found;
    return place - 1;
  }

  /** Returns the index that was written, or 0 for a literal. */
  #writeField(field: Field, isPrepared: boolean, into: ByteWriter): number {
    const { name, value } = field;
    const known = staticNames.get(name);
    if (field.isSensitive === true || known?.isSecret === true) {
      this.#writeLiteral(neverIndexed, this.#nameIndex(known, name), field, into);
      return 0;
    }
    const index = known?.indexes.get(value) ?? this.#table.indexOf(name, value);
    if (index !== undefined) {
      writeInteger(into, index, indexed.prefixBits, indexed.flags);
      return index;
    }
    const nameIndex = this.#nameIndex(known, name);
    const bytes = fieldBytes(field);
    const fits = bytes <= maxIndexedBytes && bytes <= this.#table.maxBytes;
    if (fits && (isPrepared || nameIndex === 0 || this.#table.hasSeen(name, value))) {
      this.#writeLiteral(withIndexing, nameIndex, field, into);
      this.#table.insertField(name, value);
    } else {
      this.#writeLiteral(withoutIndexing, nameIndex, field, into);
    }
    return 0;
  }

  #nameIndex(known: StaticName | undefined, name: string): number {
    return known?.index ?? this.#table.indexOfName(name) ?? 0;
  }

  #writeLiteral(kind: Kind, nameIndex: number, field: Field, into: ByteWriter): void {
    const write = kind === withIndexing ? writeHuffmanString : writeString;
    writeInteger(into, nameIndex, kind.prefixBits, kind.flags);
    if (nameIndex === 0) write(field.name, into);
    write(field.value, into);
  }
}

/** The indexes of fields by their places in lists, as long as the table is the same. */
class Places {
  readonly #fields: (Field | undefined)[] = [];
  readonly #indexes: number[] = [];
  #version = -1;

  /** Returns the index of the field that had the place the last time, or 0. */
  indexOf(place: number, field: Field, version: number): number {
    return version === this.#version && this.#fields[place] === field ? (this.#indexes[place] as number) : 0;
  }

  set(place: number, field: Field, version: number, index: number): void {
    if (place >= maxPlaces) return;
    if (version !== this.#version) this.#fields.fill(undefined);
    this.#version = version;
    // A literal is not kept: it would outlive its call.
    this.#fields[place] = index === 0 ? undefined : field;
    this.#indexes[place] = index;
  }
}

interface StaticName {
  /** Of the first entry with the name. */
  readonly index: number;
  /** Value → index of the entry. */
  readonly indexes: Map<string, number>;
  readonly isSecret: boolean;
}

const staticNames: ReadonlyMap<string, StaticName> = collectStaticNames();

function collectStaticNames(): ReadonlyMap<string, StaticName> {
  const names = new Map<string, StaticName>();
  for (const [index, field] of staticTable.entries()) {
    if (field === undefined) continue;
    const known = names.get(field.name) ?? { index, indexes: new Map(), isSecret: isSecretName(field.name) };
    // An empty value mostly says that there is none, but it is an entry as others are.
    known.indexes.set(field.value, index);
    names.set(field.name, known);
  }
  return names;
}
