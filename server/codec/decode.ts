// Reads messages of plain types: a function for each field, found by the tag before it.
import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { emptyMaker } from "./empty.js";
import {
  input,
  readBool,
  readBytes,
  readDouble,
  readEnd,
  readFloat,
  readInt32,
  readInt64,
  readSint32,
  readString,
  readUint32,
  readUint64,
} from "./input.js";
import { unusual } from "./unusual.js";

type Target = Record<string, unknown>;
/** Reads one field, after its tag, into a message. */
type FieldReader = (target: Target, depth: number) => void;

/** How a type is read. */
interface Plan {
  readonly create: () => Message;
  /** By tag. */
  readonly readers: Map<number, FieldReader>;
}

/** Nested deeper than this, protobuf-es decides. */
const maxDepth = 90;
const lengthDelimited = 2;

const scalarReaders: Partial<Record<ScalarType, { readonly wireType: number; readonly read: () => unknown }>> = {
  [ScalarType.STRING]: { wireType: lengthDelimited, read: readString },
  [ScalarType.BYTES]: { wireType: lengthDelimited, read: readBytes },
  [ScalarType.BOOL]: { wireType: 0, read: readBool },
  [ScalarType.INT32]: { wireType: 0, read: readInt32 },
  [ScalarType.UINT32]: { wireType: 0, read: readUint32 },
  [ScalarType.SINT32]: { wireType: 0, read: readSint32 },
  [ScalarType.INT64]: { wireType: 0, read: readInt64 },
  [ScalarType.UINT64]: { wireType: 0, read: readUint64 },
  [ScalarType.DOUBLE]: { wireType: 1, read: readDouble },
  [ScalarType.FLOAT]: { wireType: 5, read: readFloat },
};

const plans = new WeakMap<DescMessage, Plan>();

/** Reads a message of a plain type. @throws unusual */
export function decodePlain(desc: DescMessage, bytes: Uint8Array): Message {
  input.open(bytes);
  try {
    return readMessage(planOf(desc), bytes.length, 0);
  } finally {
    input.close();
  }
}

function readMessage({ create, readers }: Plan, end: number, depth: number): Message {
  if (depth > maxDepth) throw unusual;
  const message = create();
  while (input.pos < end) {
    const read = readers.get(readUint32());
    if (read === undefined) throw unusual;
    read(message as unknown as Target, depth);
  }
  if (input.pos !== end) throw unusual;
  return message;
}

function planOf(desc: DescMessage): Plan {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const plan: Plan = { create: emptyMaker(desc), readers: new Map() };
  // Before its fields are looked at, so that a type may contain itself.
  plans.set(desc, plan);
  for (const field of desc.fields) addReaders(plan, field);
  return plan;
}

function addReaders({ readers }: Plan, field: DescField): void {
  const tag = (wireType: number) => ((field.number << 3) | wireType) >>> 0;
  if (field.fieldKind === "list") {
    const { wireType, read } = valueReader(field);
    readers.set(tag(wireType), appender(field.localName, read));
    if (wireType !== lengthDelimited) readers.set(tag(lengthDelimited), packedAppender(field.localName, read));
    return;
  }
  const { wireType, read } = valueReader(field);
  const isMessage = field.fieldKind === "message";
  if (field.oneof !== undefined) {
    readers.set(tag(wireType), oneofSetter(field.oneof.localName, field.localName, read, isMessage));
  } else {
    readers.set(tag(wireType), isMessage ? messageSetter(field.localName, read) : setter(field.localName, read));
  }
}

function valueReader(field: DescField): { wireType: number; read: (depth: number) => unknown } {
  if (field.message !== undefined) {
    const plan = planOf(field.message);
    return { wireType: lengthDelimited, read: (depth) => readMessage(plan, readEnd(), depth + 1) };
  }
  const known = scalarReaders[field.scalar ?? ScalarType.INT32];
  if (known === undefined) throw new Error(`${field}: no plain field`);
  return known;
}

function setter(name: string, read: (depth: number) => unknown): FieldReader {
  return (target, depth) => {
    target[name] = read(depth);
  };
}

/** A message that comes twice is merged, which is unusual. */
function messageSetter(name: string, read: (depth: number) => unknown): FieldReader {
  return (target, depth) => {
    if (target[name] !== undefined) throw unusual;
    target[name] = read(depth);
  };
}

function oneofSetter(oneof: string, name: string, read: (depth: number) => unknown, isMessage: boolean): FieldReader {
  return (target, depth) => {
    if (isMessage && (target[oneof] as { case?: string }).case === name) throw unusual;
    target[oneof] = { case: name, value: read(depth) };
  };
}

function appender(name: string, read: (depth: number) => unknown): FieldReader {
  return (target, depth) => {
    (target[name] as unknown[]).push(read(depth));
  };
}

function packedAppender(name: string, read: (depth: number) => unknown): FieldReader {
  return (target, depth) => {
    const list = target[name] as unknown[];
    const end = readEnd();
    while (input.pos < end) list.push(read(depth));
    if (input.pos !== end) throw unusual;
  };
}
