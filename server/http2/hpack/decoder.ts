// Header blocks to fields: RFC 7541.
import { BlockMemo } from "./block-memo.js";
import { BlockReader } from "./block-reader.js";
import { DynamicTable } from "./dynamic-table.js";
import { createField, type Field, fieldBytes, fieldOverheadBytes, isSecretName } from "./field.js";
import { staticTable, staticTableLength } from "./static-table.js";

/** SETTINGS_HEADER_TABLE_SIZE where nothing else has been said (RFC 9113 §6.5.2). */
export const defaultTableBytes = 4096;
/** A change of the setting takes two at most: down to its smallest value, and up again (RFC 7541 §4.2). */
const maxSizeUpdates = 2;

export class HpackDecoder {
  readonly #table = new DynamicTable<Field>(defaultTableBytes);
  readonly #memo = new BlockMemo();
  /** To what the peer may resize the table. */
  #limitBytes: number;
  /** To what the next block has to resize it first. */
  #requiredBytes: number | undefined;

  /**
   * @param maxTableBytes our SETTINGS_HEADER_TABLE_SIZE. The table has 4,096 bytes until the peer resizes it, so that a
   * smaller one counts from `setMaxTableBytes` on
   */
  constructor(maxTableBytes: number = defaultTableBytes) {
    this.#limitBytes = Math.max(maxTableBytes, defaultTableBytes);
  }

  /**
   * Our SETTINGS_HEADER_TABLE_SIZE, to be called when the peer has acknowledged it: if the table is larger, its next block
   * must begin with a resize.
   */
  setMaxTableBytes(bytes: number): void {
    this.#limitBytes = bytes;
    if (bytes < (this.#requiredBytes ?? this.#table.maxBytes)) this.#requiredBytes = bytes;
  }

  /**
   * Decodes one whole header block: the bytes from `start` to `end`, which are not kept. Counts the size of the list (name +
   * value + 32 each, RFC 9113 §6.5.2) meanwhile. A list that grows over `maxListBytes` takes no more memory; its block is read
   * to the end, so that the table stays in step.
   *
   * @returns undefined if the list is over `maxListBytes`. A block that comes again may return the very same list
   * @throws HpackError
   */
  decode(
    bytes: Uint8Array,
    maxListBytes: number,
    start: number = 0,
    end: number = bytes.length,
  ): readonly Field[] | undefined {
    if (this.#requiredBytes === undefined) {
      const fields = this.#memo.find(bytes, start, end, this.#table.version, maxListBytes);
      if (fields !== undefined) return fields;
    }
    const { version } = this.#table;
    const reader = new BlockReader(bytes, start, end);
    this.#readSizeUpdates(reader);
    const fields: Field[] = [];
    const rest = this.#readFields(reader, fields, maxListBytes);
    if (rest < 0) return undefined;
    if (this.#table.version === version) this.#memo.offer(bytes, start, end, version, fields, maxListBytes - rest);
    return fields;
  }

  /** Reads fields up to the end of the block. Returns what is left of the size of the list, below 0 if it is over it. */
  #readFields(reader: BlockReader, fields: Field[], maxListBytes: number): number {
    const { bytes, end } = reader;
    let rest = maxListBytes;
    while (reader.position < end) {
      const octet = bytes[reader.position] as number;
      if (octet >= 0x80) {
        const field = this.#fieldAt(reader.position, reader.readInteger(0x7f), reader);
        if (rest < 0) continue;
        rest -= fieldBytes(field);
        if (rest >= 0) fields.push(field);
      } else if ((octet & 0xe0) === 0x20) {
        throw reader.error(reader.position, "a field", "a table size update");
      } else {
        rest = this.#readLiteral(reader, octet, rest, fields);
      }
    }
    return rest;
  }

  /** Reads a literal field, indexed or not. Returns what is left of the size of the list. */
  #readLiteral(reader: BlockReader, octet: number, rest: number, fields: Field[]): number {
    const isIndexed = octet >= 0x40;
    const isSensitive = (octet & 0xf0) === 0x10;
    // Of what fits neither the list nor the table, no string is made.
    const keptBytes = (isIndexed ? Math.max(rest, this.#table.maxBytes) : rest) - fieldOverheadBytes;
    const at = reader.position;
    const nameIndex = reader.readInteger(isIndexed ? 0x3f : 0x0f);
    const name = nameIndex > 0 ? this.#fieldAt(at, nameIndex, reader).name : reader.readString(keptBytes, isSensitive);
    const nameLength = nameIndex > 0 && name !== undefined ? name.length : reader.stringLength;
    const isSecret = isSensitive || name === undefined || isSecretName(name);
    const value = reader.readString(name === undefined ? -1 : keptBytes - nameLength, isSecret);
    if (name === undefined || value === undefined) {
      // Too large an entry empties the table.
      if (isIndexed) this.#table.clear();
    } else {
      const field = createField(name, value, isSensitive);
      if (isIndexed) this.#table.insert(field);
      if (fieldBytes(field) <= rest) fields.push(field);
    }
    return rest - nameLength - reader.stringLength - fieldOverheadBytes;
  }

  #fieldAt(at: number, index: number, reader: BlockReader): Field {
    const field = index <= staticTableLength ? staticTable[index] : this.#table.at(index - staticTableLength - 1);
    if (field !== undefined) return field;
    throw reader.error(at, `an index from 1 to ${staticTableLength + this.#table.length}`, `${index}`);
  }

  #readSizeUpdates(reader: BlockReader): void {
    for (let count = 0; isSizeUpdate(reader); count++) {
      const at = reader.position;
      if (count === maxSizeUpdates) throw reader.error(at, "a field", "a third table size update");
      const bytes = reader.readInteger(0x1f);
      const limit = this.#requiredBytes ?? this.#limitBytes;
      if (bytes > limit) throw reader.error(at, `a table size up to ${limit}`, `${bytes}`);
      this.#requiredBytes = undefined;
      this.#table.resize(bytes);
    }
    if (this.#requiredBytes === undefined) return;
    throw reader.error(reader.position, `a table size update to at most ${this.#requiredBytes}`, "none");
  }
}

function isSizeUpdate({ bytes, position, end }: BlockReader): boolean {
  return position < end && ((bytes[position] as number) & 0xe0) === 0x20;
}
