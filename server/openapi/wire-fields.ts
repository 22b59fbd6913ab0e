// Reads a message of protobuf by field numbers, without its schema (https://protobuf.dev/programming-guides/encoding/).
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** The fields of one message that has no schema. Fields of another wire type than is asked for are absent. */
export class WireFields {
  readonly #bytes = new Map<number, Uint8Array[]>();
  readonly #numbers = new Map<number, number>();
  readonly #doubles = new Map<number, number>();

  /** @throws Error if the bytes are not a message */
  constructor(message: Uint8Array) {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (wireType === WireType.LengthDelimited) {
        const values = this.#bytes.get(number) ?? [];
        this.#bytes.set(number, [...values, reader.bytes()]);
      } else if (wireType === WireType.Varint) {
        this.#numbers.set(number, Number(reader.uint64()));
      } else if (wireType === WireType.Bit64) {
        this.#doubles.set(number, reader.double());
      } else {
        reader.skip(wireType, number);
      }
    }
  }

  /** A string; undefined if it is empty or absent. */
  text(number: number): string | undefined {
    return this.texts(number).at(-1) || undefined;
  }

  texts(number: number): string[] {
    return this.#all(number).map((bytes) => new TextDecoder().decode(bytes));
  }

  /** A number, an enum or, as 0 or 1, a bool; 0 if it is absent. */
  number(number: number): number {
    return this.#numbers.get(number) ?? 0;
  }

  /** A double; 0 if it is absent. */
  double(number: number): number {
    return this.#doubles.get(number) ?? 0;
  }

  messages(number: number): WireFields[] {
    return this.#all(number).map((bytes) => new WireFields(bytes));
  }

  /** A message; one without fields if it is absent. */
  message(number: number): WireFields {
    return new WireFields(concatenate(this.#all(number)));
  }

  /** The entries of a map with text for keys, each with its value in field 2. */
  entries(number: number): [string, WireFields][] {
    return this.messages(number).map((entry) => [entry.text(1) ?? "", entry]);
  }

  #all(number: number): readonly Uint8Array[] {
    return this.#bytes.get(number) ?? [];
  }
}

/** Parts of one message merge when they are joined. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
