// Writes messages of plain types: a function for each field, in order of the numbers.
import { type DescField, type DescMessage, isMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import {
  openOutput,
  takeOutput,
  writeBool,
  writeBytes,
  writeDouble,
  writeFloat,
  writeInt32,
  writeSized,
  writeString,
  writeUint32,
  writeUint64,
} from "./binary-output.js";
import {
  hasImplicitPresence,
  isPlainScalar,
  objects,
  type PlainScalar,
  type Source,
  scalarKinds,
  type ValueKind,
} from "./values.js";

/** Thrown where there is something unusual, for protobuf-es to write or to refuse. Made once, and never visible to callers. */
const unusual: Error = new Error("unusual");

type FieldWriter = (source: Source) => void;

/** How values of a type are written. */
interface Coding {
  readonly wireType: number;
  // biome-ignore lint/suspicious/noExplicitAny: `isFit` has looked at the type
  readonly write: (value: any) => void;
}
type ValueWriter = ValueKind & Coding;

const codings: Record<PlainScalar, Coding> = {
  [ScalarType.STRING]: { wireType: 2, write: writeString },
  [ScalarType.BYTES]: { wireType: 2, write: writeBytes },
  [ScalarType.BOOL]: { wireType: 0, write: writeBool },
  [ScalarType.INT32]: { wireType: 0, write: writeInt32 },
  [ScalarType.UINT32]: { wireType: 0, write: writeUint32 },
  [ScalarType.SINT32]: { wireType: 0, write: (value: number) => writeUint32(((value << 1) ^ (value >> 31)) >>> 0) },
  [ScalarType.INT64]: { wireType: 0, write: (value: bigint) => writeUint64(BigInt.asUintN(64, value)) },
  [ScalarType.UINT64]: { wireType: 0, write: writeUint64 },
  [ScalarType.DOUBLE]: { wireType: 1, write: writeDouble },
  [ScalarType.FLOAT]: { wireType: 5, write: writeFloat },
};

const plans = new WeakMap<DescMessage, FieldWriter[]>();

/** Writes a message of a plain type, after `reserve` free bytes. @throws unusual */
export function encodePlain(desc: DescMessage, message: Message, reserve: number): Buffer {
  openOutput();
  writeMessage(desc, writersOf(desc), message);
  return takeOutput(reserve);
}

function writeMessage(desc: DescMessage, writers: FieldWriter[], message: unknown): void {
  if (!isMessage(message, desc)) throw unusual;
  const source = message as unknown as Source;
  // Unknown fields are rare, and written last.
  if (source.$unknown !== undefined && source.$unknown.length > 0) throw unusual;
  for (const write of writers) write(source);
}

function writersOf(desc: DescMessage): FieldWriter[] {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const writers: FieldWriter[] = [];
  plans.set(desc, writers);
  const fields = [...desc.fields].sort((a, b) => a.number - b.number);
  for (const field of fields) writers.push(fieldWriter(field));
  return writers;
}

function fieldWriter(field: DescField): FieldWriter {
  const value = valueWriter(field);
  const { localName: name, number } = field;
  const tag = ((number << 3) | value.wireType) >>> 0;
  if (field.fieldKind === "list") {
    return field.packed ? packedWriter(name, (number << 3) | 2, value) : listWriter(name, tag, value);
  }
  if (field.oneof !== undefined) return oneofWriter(field.oneof.localName, name, tag, value);
  return hasImplicitPresence(field) ? implicitWriter(name, tag, value) : explicitWriter(name, tag, value);
}

function valueWriter(field: DescField): ValueWriter {
  if (field.message !== undefined) {
    const desc = field.message;
    const writers = writersOf(desc);
    return {
      ...objects,
      wireType: 2,
      write: (value) => writeSized(() => writeMessage(desc, writers, value)),
    };
  }
  const scalar = field.scalar ?? ScalarType.INT32;
  if (!isPlainScalar(scalar)) throw new Error(`${field}: no plain field`);
  return { ...scalarKinds[scalar], ...codings[scalar] };
}

function writeValue(tag: number, { isFit, write }: ValueWriter, value: unknown): void {
  if (!isFit(value)) throw unusual;
  writeUint32(tag);
  write(value);
}

function implicitWriter(name: string, tag: number, writer: ValueWriter): FieldWriter {
  return (source) => {
    const value = source[name];
    if (!writer.isFit(value)) throw unusual;
    if (writer.isZero(value)) return;
    writeUint32(tag);
    writer.write(value);
  };
}

function explicitWriter(name: string, tag: number, writer: ValueWriter): FieldWriter {
  return (source) => {
    if (source[name] !== undefined) writeValue(tag, writer, source[name]);
  };
}

function oneofWriter(oneof: string, name: string, tag: number, writer: ValueWriter): FieldWriter {
  return (source) => {
    const chosen = source[oneof] as { case?: string; value?: unknown } | undefined;
    if (chosen === undefined) throw unusual;
    if (chosen.case === name) writeValue(tag, writer, chosen.value);
  };
}

function listWriter(name: string, tag: number, writer: ValueWriter): FieldWriter {
  return (source) => {
    const list = source[name];
    if (!Array.isArray(list)) throw unusual;
    for (const value of list) writeValue(tag, writer, value);
  };
}

function packedWriter(name: string, tag: number, { isFit, write }: ValueWriter): FieldWriter {
  return (source) => {
    const list = source[name];
    if (!Array.isArray(list) || !list.every(isFit)) throw unusual;
    if (list.length === 0) return;
    writeUint32(tag);
    writeSized(() => {
      for (const value of list) write(value);
    });
  };
}
