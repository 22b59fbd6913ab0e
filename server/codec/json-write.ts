// Writes messages as JSON text: a function for each field, in order of the numbers
// (https://protobuf.dev/programming-guides/json/).
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  isMessage,
  type JsonWriteOptions,
  type Message,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";

import { isLeafType, isLongAsString, isPlainJsonType, nullValue, prototypeKey } from "./json-support.js";
import { unusual } from "./unusual.js";
import {
  hasImplicitPresence,
  isPlainScalar,
  objects,
  type PlainScalar,
  type Source,
  scalarKinds,
  type ValueKind,
} from "./values.js";

/** Writes the field of a message with its name, or nothing where it is left out. @throws unusual */
type FieldWriter = (source: Source) => string;

/** How values of a type are written. */
interface ValueWriter extends ValueKind {
  // biome-ignore lint/suspicious/noExplicitAny: `isFit` has looked at the type
  readonly write: (value: any) => string;
}

const asText = { write: String };
const quoted = { write: (value: bigint) => `"${value}"` };
const finite = { isFit: Number.isFinite, write: String };

const scalarWriters: Record<PlainScalar, Partial<ValueWriter> & Pick<ValueWriter, "write">> = {
  [ScalarType.STRING]: { write: JSON.stringify },
  [ScalarType.BYTES]: { write: (value: Uint8Array) => `"${base64Encode(value)}"` },
  [ScalarType.BOOL]: asText,
  [ScalarType.INT32]: asText,
  [ScalarType.SINT32]: asText,
  [ScalarType.UINT32]: asText,
  [ScalarType.INT64]: quoted,
  [ScalarType.UINT64]: quoted,
  [ScalarType.DOUBLE]: finite,
  [ScalarType.FLOAT]: finite,
};

/** What is left to protobuf-es. */
const noWriter: ValueWriter = { isFit: () => false, write: String, isZero: () => false };

/** Prepares the writing of a type. The function that it returns throws `unusual` for what it leaves to protobuf-es. */
export function createJsonWriter(desc: DescMessage, options: Partial<JsonWriteOptions>): (message: Message) => string {
  const plans = plansWith(options);
  let write: ((message: Message) => string) | undefined;
  return (message) => {
    write ??= plans.messageWriter(desc);
    return write(message);
  };
}

const allPlans = new Map<string, Plans>();

/** Plans are shared by all who write alike: types contain each other, and each is looked at once. */
function plansWith({ alwaysEmitImplicit, enumAsInteger, useProtoFieldName }: Partial<JsonWriteOptions>): Plans {
  const options = {
    alwaysEmitImplicit: alwaysEmitImplicit === true,
    enumAsInteger: enumAsInteger === true,
    useProtoFieldName: useProtoFieldName === true,
  };
  const key = Object.values(options).join();
  const plans = allPlans.get(key) ?? new Plans(options);
  allPlans.set(key, plans);
  return plans;
}

type Options = Pick<JsonWriteOptions, "alwaysEmitImplicit" | "enumAsInteger" | "useProtoFieldName">;

/** The writers of types, made when one is first needed. */
class Plans {
  readonly #options: Options;
  readonly #plans = new WeakMap<DescMessage, FieldWriter[]>();

  constructor(options: Options) {
    this.#options = options;
  }

  messageWriter(desc: DescMessage): (message: unknown) => string {
    const writers = this.#writersOf(desc);
    return (message) => {
      if (!isMessage(message, desc)) throw unusual;
      const source = message as unknown as Source;
      // Extensions, which the registry may know.
      if (source.$unknown !== undefined && source.$unknown.length > 0) throw unusual;
      let text = "";
      for (const write of writers) {
        const member = write(source);
        if (member !== "") text = text === "" ? member : `${text},${member}`;
      }
      return `{${text}}`;
    };
  }

  #writersOf(desc: DescMessage): FieldWriter[] {
    const known = this.#plans.get(desc);
    if (known !== undefined) return known;
    const writers: FieldWriter[] = [];
    // Before its fields are looked at, so that a type may contain itself.
    this.#plans.set(desc, writers);
    if (!isPlainJsonType(desc)) {
      writers.push(writeNothing);
      return writers;
    }
    const fields = [...desc.fields].sort((a, b) => a.number - b.number);
    for (const field of fields) writers.push(this.#fieldWriter(field));
    return writers;
  }

  #fieldWriter(field: DescField): FieldWriter {
    const { localName: name, oneof } = field;
    const { useProtoFieldName, alwaysEmitImplicit } = this.#options;
    const prefix = `${JSON.stringify(useProtoFieldName ? field.name : field.jsonName)}:`;
    const value = this.#valueWriter(field);
    if (field.fieldKind === "list") return listWriter(name, prefix, value, alwaysEmitImplicit);
    if (field.fieldKind === "map") return mapWriter(name, prefix, value, alwaysEmitImplicit);
    if (oneof !== undefined) return oneofWriter(oneof.localName, name, prefix, value);
    return hasImplicitPresence(field)
      ? implicitWriter(name, prefix, value, alwaysEmitImplicit)
      : explicitWriter(name, prefix, value);
  }

  #valueWriter(field: DescField): ValueWriter {
    if (field.enum !== undefined) return enumWriter(field.enum, this.#options.enumAsInteger);
    const { message } = field;
    if (message !== undefined) {
      const write = isLeafType(message)
        ? (value: Message) => JSON.stringify(toJson(message, value))
        : this.messageWriter(message);
      return { ...objects, write };
    }
    const { scalar, jsonName } = field;
    if (isLongAsString(field) || jsonName === prototypeKey || !isPlainScalar(scalar)) return noWriter;
    return { ...scalarKinds[scalar], ...scalarWriters[scalar] };
  }
}

const writeNothing = (): never => {
  throw unusual;
};

function enumWriter(desc: DescEnum, isInteger: boolean): ValueWriter {
  if (desc.typeName === nullValue) return noWriter;
  const int32s = scalarKinds[ScalarType.INT32];
  if (isInteger) return { ...int32s, write: String };
  const names = new Map(desc.values.map((value) => [value.number, `"${desc.value[value.number]?.name}"`]));
  return {
    ...int32s,
    isFit: (value) => names.has(value as number),
    write: (value: number) => names.get(value) as string,
  };
}

function writeValue({ isFit, write }: ValueWriter, value: unknown): string {
  if (!isFit(value)) throw unusual;
  return write(value);
}

function implicitWriter(name: string, prefix: string, writer: ValueWriter, always: boolean): FieldWriter {
  return (source) => {
    const value = source[name];
    if (!writer.isFit(value)) throw unusual;
    return !always && writer.isZero(value) ? "" : prefix + writer.write(value);
  };
}

function explicitWriter(name: string, prefix: string, writer: ValueWriter): FieldWriter {
  return (source) => (source[name] === undefined ? "" : prefix + writeValue(writer, source[name]));
}

function oneofWriter(oneof: string, name: string, prefix: string, writer: ValueWriter): FieldWriter {
  return (source) => {
    const chosen = source[oneof] as { case?: string; value?: unknown } | undefined;
    if (chosen === undefined) throw unusual;
    return chosen.case === name ? prefix + writeValue(writer, chosen.value) : "";
  };
}

function listWriter(name: string, prefix: string, writer: ValueWriter, always: boolean): FieldWriter {
  return (source) => {
    const list = source[name];
    if (!Array.isArray(list)) throw unusual;
    if (list.length === 0 && !always) return "";
    return `${prefix}[${list.map((value) => writeValue(writer, value)).join(",")}]`;
  };
}

function mapWriter(name: string, prefix: string, writer: ValueWriter, always: boolean): FieldWriter {
  return (source) => {
    const map = source[name];
    if (typeof map !== "object" || map === null) throw unusual;
    if (Object.hasOwn(map, prototypeKey)) throw unusual;
    const entries = Object.entries(map);
    if (entries.length === 0 && !always) return "";
    return `${prefix}{${entries.map(([key, value]) => `${JSON.stringify(key)}:${writeValue(writer, value)}`).join(",")}}`;
  };
}
