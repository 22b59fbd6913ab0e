// Header blocks to fields: RFC 7541.
import { BlockReader } from "./block-reader.js";
import { DynamicTable } from "./dynamic-table.js";
import { createField, type Field, fieldBytes, fieldOverheadBytes } from "./field.js";
import { HpackError } from "./hpack-error.js";
import { staticTable, staticTableLength } from "./static-table.js";

/** SETTINGS_HEADER_TABLE_SIZE where nothing else has been said (RFC 9113 §6.5.2). */
export const defaultTableBytes = 4096;
/** A change of the setting takes two at most: down to its smallest value, and up again (RFC 7541 §4.2). */
const maxSizeUpdates = 2;

export class HpackDecoder {
  readonly #table = new DynamicTable<Field>(defaultTableBytes);
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
   * Decodes one whole header block. Counts the size of the list (name + value + 32 each, RFC 9113 §6.5.2) meanwhile. A list
   * over `maxListBytes` is dropped at the field that it is found at; the table is kept in step to the end of the block.
   *
   * @returns undefined if the list is over `maxListBytes`
   * @throws HpackError
   */
  decode(block: Uint8Array, maxListBytes: number): readonly Field[] | undefined {
    const reader = new BlockReader(block);
    this.#readSizeUpdates(reader);
    const fields: Field[] = [];
    let rest = maxListBytes;
    while (reader.position < block.length) {
      const octet = block[reader.position] as number;
      if (octet >= 0x80) {
        const field = this.#fieldAt(reader.readInteger(0x7f), reader);
        rest -= fieldBytes(field);
        if (rest >= 0) fields.push(field);
      } else if ((octet & 0xe0) === 0x20) {
        throw new HpackError(`byte ${reader.position}: expected a field, found a table size update`);
      } else {
        rest = this.#readLiteral(reader, octet, rest, fields);
      }
    }
    return rest >= 0 ? fields : undefined;
  }

  /** Reads a literal field, indexed or not. Returns the rest of the list's size after it. */
  #readLiteral(reader: BlockReader, octet: number, rest: number, fields: Field[]): number {
    const isIndexed = octet >= 0x40;
    // Of what fits neither the list nor the table, no string is made.
    const keptBytes = (isIndexed ? Math.max(rest, this.#table.maxBytes) : rest) - fieldOverheadBytes;
    const nameIndex = reader.readInteger(isIndexed ? 0x3f : 0x0f);
    let name: string | undefined;
    let nameLength: number;
    if (nameIndex === 0) {
      name = reader.readString(keptBytes);
      nameLength = reader.stringLength;
    } else {
      name = this.#fieldAt(nameIndex, reader).name;
      nameLength = name.length;
    }
    const value = reader.readString(name === undefined ? -1 : keptBytes - nameLength);
    if (name === undefined || value === undefined) {
      // Too large an entry empties the table.
      if (isIndexed) this.#table.clear();
    } else {
      const field = createField(name, value, (octet & 0xf0) === 0x10);
      if (isIndexed) this.#table.insert(field);
      if (fieldBytes(field) <= rest) fields.push(field);
    }
    return rest - nameLength - reader.stringLength - fieldOverheadBytes;
  }

  #fieldAt(index: number, reader: BlockReader): Field {
    const field = index <= staticTableLength ? staticTable[index] : this.#table.at(index - staticTableLength - 1);
    if (field !== undefined) return field;
    const last = staticTableLength + this.#table.length;
    throw new HpackError(`byte ${reader.position - 1}: expected an index from 1 to ${last}, found ${index}`);
  }

  #readSizeUpdates(reader: BlockReader): void {
    let required = this.#requiredBytes;
    for (let count = 0; ((reader.bytes[reader.position] as number) & 0xe0) === 0x20; count++) {
      const at = reader.position;
      if (count === maxSizeUpdates)
        throw new HpackError(`byte ${at}: expected a field, found a third table size update`);
      const bytes = reader.readInteger(0x1f);
      const limit = Math.min(this.#limitBytes, required ?? this.#limitBytes);
      if (bytes > limit) throw new HpackError(`byte ${at}: expected a table size up to ${limit}, found ${bytes}`);
      required = undefined;
      this.#table.resize(bytes);
    }
    if (required !== undefined && reader.bytes.length > 0) {
      throw new HpackError(`byte 0: expected a table size update to at most ${required}, found a field`);
    }
    this.#requiredBytes = required;
  }
}
