// Plans the JSON of types: a function for each field, in order of the numbers.
import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
  type JsonWriteOptions,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type Any, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { nullValue } from "./json-facts.js";
import { writeAny } from "./json-write-any.js";
import { refuse, within } from "./json-write-error.js";
import { createExtensionsWriter, type ExtensionsWriter } from "./json-write-extensions.js";
import { createFieldWriter, type FieldWriter } from "./json-write-fields.js";
import { scalarWriters, type ValueWriter } from "./json-write-scalar.js";
import { structWriters, writeObject } from "./json-write-struct.js";
import { textWriters } from "./json-write-text.js";
import type { Source } from "./values.js";

/** Fields that are left out, each as the path to it from the message. */
export type Omitted = readonly (readonly DescField[])[];

/** The writers of types under one set of options, made when they are first needed. Types contain each other, and share them. */
export class Plans {
  readonly #options: Partial<JsonWriteOptions>;
  readonly #always: boolean;
  readonly #messages = new WeakMap<DescMessage, ValueWriter>();
  readonly #writeExtensions: ExtensionsWriter | undefined;

  constructor(options: Partial<JsonWriteOptions>) {
    const { registry, alwaysEmitImplicit } = options;
    this.#options = options;
    this.#always = alwaysEmitImplicit === true;
    const writerOf = (extension: DescExtension) => this.valueWriter(extension);
    this.#writeExtensions = registry && createExtensionsWriter(registry, writerOf, this.#always);
  }

  /** The writer of a message type. */
  messageWriter(desc: DescMessage, omitted: Omitted = []): ValueWriter {
    if (omitted.length > 0) return this.#createMessageWriter(desc, omitted);
    const known = this.#messages.get(desc) ?? this.#createMessageWriter(desc, omitted);
    this.#messages.set(desc, known);
    return known;
  }

  /** The writer of one value of a field: an item of a list, or the value of a map's entry. */
  valueWriter(field: DescField | DescExtension, omitted: Omitted = []): ValueWriter {
    if (field.enum !== undefined) return enumWriter(field.enum, this.#options.enumAsInteger === true);
    const { message } = field;
    if (message === undefined) return scalarWriters[field.scalar];
    // In fields, messages have Struct as an object, and wrappers as their value.
    const owner = field.kind === "field" ? field.parent.typeName : "";
    if (message.typeName === "google.protobuf.Struct" && owner !== "google.protobuf.Value") return writeObject;
    const isUnwrapped = field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(message);
    return isUnwrapped ? scalarWriters[message.fields[0].scalar] : this.messageWriter(message, omitted);
  }

  #createMessageWriter(desc: DescMessage, omitted: Omitted): ValueWriter {
    const { typeName } = desc;
    const write = this.#specialWriter(desc) ?? this.#objectWriter(desc, omitted);
    return (message) => {
      if ((message as Message | undefined | null)?.$typeName !== typeName) refuse(typeName, message);
      return write(message as never);
    };
  }

  /** The writer of a type whose JSON is not an object with its fields; undefined for other types. */
  #specialWriter(desc: DescMessage): ((message: never) => string) | undefined {
    const { typeName } = desc;
    if (typeName === "google.protobuf.Any") {
      return (any: Any) => writeAny(any, this.#options.registry, (held) => this.messageWriter(held));
    }
    if (!isWrapperDesc(desc)) return textWriters[typeName] ?? structWriters[typeName];
    const write = scalarWriters[desc.fields[0].scalar];
    return ({ value }: { value: unknown }) => write(value);
  }

  #objectWriter(desc: DescMessage, omitted: Omitted): (message: Message) => string {
    let fields: NamedWriter[] | undefined;
    const writeExtensions = this.#writeExtensions;
    return (message) => {
      // Not before: a type may contain itself, and many types are never written.
      fields ??= this.#fieldWriters(desc, omitted);
      const members = writeMembers(fields, message as unknown as Source);
      if (writeExtensions === undefined || message.$unknown === undefined) return `{${members}}`;
      const extensions = writeExtensions(message, desc);
      return `{${members}${members === "" || extensions === "" ? "" : ","}${extensions}}`;
    };
  }

  #fieldWriters(desc: DescMessage, omitted: Omitted): NamedWriter[] {
    const isWritten = (field: DescField) => !omitted.some((path) => path.length === 1 && path[0] === field);
    const fields = desc.fields.filter(isWritten).sort((a, b) => a.number - b.number);
    return fields.map((field) => {
      const { name, jsonName } = field;
      const omittedWithin = omitted.filter(([first]) => first === field).map(([, ...rest]) => rest);
      const prefix = `${JSON.stringify(this.#options.useProtoFieldName === true ? name : jsonName)}:`;
      return { name, write: createFieldWriter(field, prefix, this.valueWriter(field, omittedWithin), this.#always) };
    });
  }
}

interface NamedWriter {
  readonly name: string;
  readonly write: FieldWriter;
}

function writeMembers(fields: readonly NamedWriter[], source: Source): string {
  let text = "";
  let index = 0;
  try {
    for (; index < fields.length; index++) {
      const member = (fields[index] as NamedWriter).write(source);
      if (member !== "") text = text === "" ? member : `${text},${member}`;
    }
  } catch (error) {
    throw within((fields[index] as NamedWriter).name, error);
  }
  return text;
}

/** Numbers without a name stay numbers. */
function enumWriter({ typeName, value: values }: DescEnum, isInteger: boolean): ValueWriter {
  if (typeName === nullValue) return () => "null";
  const writeNumber = scalarWriters[ScalarType.INT32];
  if (isInteger) return writeNumber;
  const names = new Map(Object.values(values).map(({ number, name }) => [number, JSON.stringify(name)]));
  return (value) => names.get(value as number) ?? writeNumber(value);
}
