// Prepares the JSON of types under one set of options: code for each type, or a function for each field.
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
import { canRunCode, interpretFirst } from "./code.js";
import { nullValue } from "./json-facts.js";
import { closeObject, encodeName, noName, outputPosition, putAscii } from "./json-output.js";
import { writeAny } from "./json-write-any.js";
import { compileWriter } from "./json-write-code.js";
import { refuse, within } from "./json-write-error.js";
import { createExtensionsWriter, type ExtensionsWriter } from "./json-write-extensions.js";
import {
  type FieldPlan,
  type FieldWriter,
  interpretField,
  type MessageWriter,
  planField,
  type ValuePlan,
} from "./json-write-fields.js";
import { scalarWriters, type ValueWriter } from "./json-write-scalar.js";
import { structWriters, writeObject } from "./json-write-struct.js";
import { textWriters } from "./json-write-text.js";
import { isJsonStruct, isUnwrapped, type Source } from "./values.js";

/** How JSON is written. */
export interface JsonEncodeOptions extends Partial<JsonWriteOptions> {
  /** Whether to make code of plans, where the runtime does. Default true. */
  readonly compiles?: boolean;
}

/** Fields that are left out, each as the path to it from the message. */
export type Omitted = readonly (readonly DescField[])[];

/** The writers of types under one set of options, made when they are first needed. Types contain each other, and share them. */
export class Plans {
  readonly #options: JsonEncodeOptions;
  readonly #messages = new WeakMap<DescMessage, MessageWriter>();
  readonly #writeExtensions: ExtensionsWriter | undefined;

  constructor(options: JsonEncodeOptions) {
    const { registry } = options;
    this.#options = options;
    const writerOf = (extension: DescExtension) => this.#planValue(extension, []).write;
    this.#writeExtensions = registry && createExtensionsWriter(registry, writerOf, options.alwaysEmitImplicit === true);
  }

  /** The writer of a message type. */
  messageWriter(desc: DescMessage, omitted: Omitted = []): MessageWriter {
    if (omitted.length > 0) return this.#createMessageWriter(desc, omitted);
    const known = this.#messages.get(desc) ?? this.#createMessageWriter(desc, omitted);
    this.#messages.set(desc, known);
    return known;
  }

  /** The writer of a field without its name. A value that a field without presence has when it is not set is written. */
  fieldWriter(field: DescField, omitted: Omitted): FieldWriter {
    return interpretField(planField(field, noName, this.#planValue(field, omitted), true));
  }

  #planValue(field: DescField | DescExtension, omitted: Omitted): ValuePlan {
    if (field.enum !== undefined) return { write: enumWriter(field.enum, this.#options.enumAsInteger === true) };
    const { message: desc } = field;
    if (desc === undefined) return { write: scalarWriters[field.scalar] };
    // In fields, messages have Struct as an object, and wrappers as their value.
    if (field.kind === "field" ? isJsonStruct(field) : desc.typeName === structType) return { write: writeObject };
    if (isUnwrapped(field) && isWrapperDesc(desc)) return { write: scalarWriters[desc.fields[0].scalar] };
    const message = this.messageWriter(desc, omitted);
    return { write: (value) => message.write(value), message };
  }

  #createMessageWriter(desc: DescMessage, omitted: Omitted): MessageWriter {
    const { typeName } = desc;
    const special = this.#specialWriter(desc);
    if (special !== undefined) {
      const write: ValueWriter = (message) => {
        if ((message as Message | undefined | null)?.$typeName !== typeName) refuse(typeName, message);
        return special(message as never);
      };
      return { write };
    }
    const writer: MessageWriter = {
      // Not before: a type may contain itself, and many types are never written.
      write: (message) => {
        const fields = this.#planFields(desc, omitted);
        const interpreted = interpretWriter(desc, fields, this.#writeExtensions);
        const { compiles = true } = this.#options;
        writer.write = interpreted;
        if (compiles && canRunCode) {
          const compile = () => compileWriter(desc, fields, this.#writeExtensions);
          writer.write = interpretFirst(interpreted, compile, (compiled) => {
            writer.write = compiled;
          });
        }
        writer.write(message);
      },
    };
    return writer;
  }

  /** The writer of a type whose JSON is not an object with its fields; undefined for other types. */
  #specialWriter(desc: DescMessage): ((message: never) => void) | undefined {
    const { typeName } = desc;
    if (typeName === "google.protobuf.Any") {
      return (any: Any) => writeAny(any, this.#options.registry, (held) => this.messageWriter(held).write);
    }
    if (!isWrapperDesc(desc)) return textWriters[typeName] ?? structWriters[typeName];
    const write = scalarWriters[desc.fields[0].scalar];
    return ({ value }: { value: unknown }) => write(value);
  }

  #planFields(desc: DescMessage, omitted: Omitted): FieldPlan[] {
    const { useProtoFieldName, alwaysEmitImplicit } = this.#options;
    const isWritten = (field: DescField) => !omitted.some((path) => path.length === 1 && path[0] === field);
    const fields = desc.fields.filter(isWritten).sort((a, b) => a.number - b.number);
    return fields.map((field) => {
      const omittedWithin = omitted.filter(([first]) => first === field).map(([, ...rest]) => rest);
      const prefix = encodeName(useProtoFieldName === true ? field.name : field.jsonName);
      return planField(field, prefix, this.#planValue(field, omittedWithin), alwaysEmitImplicit === true);
    });
  }
}

const structType = "google.protobuf.Struct";

/** Writes by the plan itself. */
function interpretWriter(
  desc: DescMessage,
  plans: readonly FieldPlan[],
  writeExtensions: ExtensionsWriter | undefined,
): ValueWriter {
  const { typeName } = desc;
  const fields = plans.map((plan) => ({ name: plan.name, write: interpretField(plan) }));
  return (value) => {
    const message = value as Message;
    if (message?.$typeName !== typeName) refuse(typeName, message);
    const start = outputPosition();
    writeMembers(fields, message as unknown as Source);
    if (message.$unknown !== undefined) writeExtensions?.(message, desc);
    closeObject(start);
  };
}

interface NamedWriter {
  readonly name: string;
  readonly write: FieldWriter;
}

function writeMembers(fields: readonly NamedWriter[], source: Source): void {
  let name = "";
  try {
    for (const field of fields) {
      name = field.name;
      field.write(source);
    }
  } catch (error) {
    throw within(name, error);
  }
}

/** Numbers without a name stay numbers. */
function enumWriter({ typeName, value: values }: DescEnum, isInteger: boolean): ValueWriter {
  if (typeName === nullValue) return () => putAscii("null");
  const writeNumber = scalarWriters[ScalarType.INT32];
  if (isInteger) return writeNumber;
  const names = new Map(Object.values(values).map(({ number, name }) => [number, JSON.stringify(name)]));
  return (value) => {
    const name = names.get(value as number);
    if (name === undefined) writeNumber(value);
    else putAscii(name);
  };
}
