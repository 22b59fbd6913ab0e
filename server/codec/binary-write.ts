// Writes messages of any type: by the plan of the type, and by code that is made of it when the type is written often, where
// the runtime makes code. https://protobuf.dev/programming-guides/encoding/
import { type BinaryWriteOptions, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import type { ByteWriter } from "../byte-writer.js";
import {
  appendOutput,
  closeSized,
  openOutput,
  openSized,
  rejectValue,
  takeOutput,
  writeVarint,
} from "./binary-output.js";
import { compileWriter } from "./binary-write-code.js";
import {
  type FieldPlan,
  type MessageWriter,
  planFields,
  type ValuePlan,
  type ValueWriter,
} from "./binary-write-plan.js";
import { unknownFields, writeUnknown } from "./binary-write-unknown.js";
import { canRunCode, interpretFirst } from "./code.js";
import type { Source } from "./values.js";

/** The writers of all types, made when they are first needed. Types contain each other, and share them. */
class Writers {
  readonly #compiles: boolean;
  readonly #writers = new WeakMap<DescMessage, TypeWriter>();

  /** @param compiles whether to make code of types that are written often */
  constructor(compiles: boolean) {
    this.#compiles = compiles;
  }

  writerOf(desc: DescMessage): MessageWriter {
    const known = this.#writers.get(desc);
    if (known !== undefined) return known;
    const writer = new TypeWriter((replace) => {
      const fields = planFields(desc, (inner) => this.writerOf(inner));
      const interpreted = interpret(desc, fields);
      return this.#compiles ? interpretFirst(interpreted, () => compileWriter(desc, fields), replace) : interpreted;
    });
    this.#writers.set(desc, writer);
    return writer;
  }
}

class TypeWriter implements MessageWriter {
  write: ValueWriter;
  /** How many bytes the length of the last message took. */
  #lengthBytes = 1;

  /** @param prepare makes the function that writes, and calls `replace` if there is a faster one later */
  constructor(prepare: (replace: (write: ValueWriter) => void) => ValueWriter) {
    this.write = (message) => {
      this.write = prepare((write) => {
        this.write = write;
      });
      this.write(message);
    };
  }

  writeSized(message: unknown): void {
    const lengthBytes = this.#lengthBytes;
    const start = openSized(lengthBytes);
    this.write(message);
    this.#lengthBytes = closeSized(start, lengthBytes);
  }
}

/** Writes by the plan itself. */
function interpret({ typeName }: DescMessage, fields: readonly FieldPlan[]): ValueWriter {
  const writers = fields.map(fieldWriter);
  return (message) => {
    const source = message as Source;
    if (source.$typeName !== typeName) rejectValue();
    for (const write of writers) write(source);
    if (source.$unknown !== undefined) writeUnknown(source.$unknown);
  };
}

function fieldWriter(field: FieldPlan): (source: Source) => void {
  const { name, tag, value } = field;
  switch (field.kind) {
    case "implicit":
      return (source) => {
        if (!value.isZero(source[name])) writeTagged(tag, value, source[name]);
      };
    case "explicit":
      return (source) => {
        const isSet = source[name] !== undefined && (!field.isInherited || Object.hasOwn(source, name));
        if (isSet) writeTagged(tag, value, source[name]);
        else if (field.isRequired) rejectValue();
      };
    case "oneof":
      return (source) => {
        const chosen = source[name] as { case?: string; value?: unknown };
        if (chosen.case === field.case) writeTagged(tag, value, chosen.value);
      };
    case "list":
      return (source) => {
        for (const item of listIn(source, name)) writeTagged(tag, value, item);
      };
    case "packed":
      return (source) => {
        const list = listIn(source, name);
        if (list.length === 0) return;
        writeVarint(tag);
        const start = openSized(2);
        for (const item of list) value.write(item);
        closeSized(start, 2);
      };
    case "map":
      return (source) => writeEntries(field, source[name] as Source);
  }
}

function writeTagged(tag: number, { write }: ValuePlan, value: unknown): void {
  writeVarint(tag);
  write(value);
}

function listIn(source: Source, name: string): unknown[] {
  const list = source[name];
  return Array.isArray(list) ? list : rejectValue();
}

function writeEntries({ tag, keyTag, writeKey, valueTag, value }: FieldPlan & { kind: "map" }, map: Source): void {
  for (const key of Object.keys(map)) {
    writeVarint(tag);
    const start = openSized(1);
    writeVarint(keyTag);
    writeKey(key);
    writeTagged(valueTag, value, map[key]);
    closeSized(start, 1);
  }
}

const compiled = new Writers(true);
const interpreted = new Writers(false);

/** How messages are encoded. */
export interface BinaryEncodeOptions extends Partial<BinaryWriteOptions> {
  /** Whether to make code of plans, where the runtime does. Default true. */
  readonly compiles?: boolean;
}

/** Encodes a message after so many bytes that are the caller's to fill. */
export type Encoder = (message: Message, reserve: number) => Buffer;

/** Does the same, and appends all of it to other bytes. If it throws, nothing is appended. */
export type Appender = (message: Message, reserve: number, target: ByteWriter) => void;

/** The two ways to encode messages of one type. */
export interface Encoders {
  readonly encode: Encoder;
  readonly append: Appender;
}

/** Prepares the encoding of a type. A value that does not fit its type is left to protobuf-es, so that errors are its own. */
export function createEncoders(desc: DescMessage, options: BinaryEncodeOptions = {}): Encoders {
  const write = prepareWriting(desc, options);
  return {
    encode(message, reserve) {
      try {
        write(message, reserve);
      } catch {
        return encodeReflected(desc, message, reserve, options);
      }
      return takeOutput();
    },
    append(message, reserve, target) {
      try {
        write(message, reserve);
      } catch {
        target.write(encodeReflected(desc, message, reserve, options));
        return;
      }
      appendOutput(target);
    },
  };
}

/** Prepares the same without protobuf-es. The encoder throws any error for a value that does not fit its type. */
export function createStrictEncoder(desc: DescMessage, options: BinaryEncodeOptions = {}): Encoder {
  const write = prepareWriting(desc, options);
  return (message, reserve) => {
    write(message, reserve);
    return takeOutput();
  };
}

/** Returns what writes a message of the type to the output. */
function prepareWriting(
  desc: DescMessage,
  { writeUnknownFields = true, compiles = true }: BinaryEncodeOptions,
): (message: Message, reserve: number) => void {
  const writer = (compiles && canRunCode ? compiled : interpreted).writerOf(desc);
  return (message, reserve) => {
    unknownFields.isWritten = writeUnknownFields;
    openOutput(reserve);
    writer.write(message);
  };
}

function encodeReflected(
  desc: DescMessage,
  message: Message,
  reserve: number,
  options: Partial<BinaryWriteOptions>,
): Buffer {
  const bytes = toBinary(desc, message, options);
  const buffer = Buffer.allocUnsafe(reserve + bytes.length);
  buffer.set(bytes, reserve);
  return buffer;
}
