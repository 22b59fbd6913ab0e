// Reads messages of any type: by the plan of the type, and by code that is made of it when the type is read often, where the
// runtime makes code. https://protobuf.dev/programming-guides/encoding/
import type { DescMessage, Message } from "@bufbuild/protobuf";
import {
  BinaryError,
  closeInput,
  inputLength,
  isBefore,
  isPast,
  nextTag,
  openInput,
  position,
  readEnd,
  readTag,
  skip,
} from "./binary-input.js";
import { compileReader, type FieldsReader, noGroup, type ReadSupport } from "./binary-read-code.js";
import { type FieldPlan, type MessageReader, planFields, type Store } from "./binary-read-plan.js";
import {
  type BinaryDecodeOptions,
  checkDepth,
  depthLeft,
  keepUnknown,
  openState,
  pastEnd,
  withinEntry,
} from "./binary-read-state.js";
import { canRunCode, interpretFirst } from "./code.js";
import { elementCost, entryCost, spendElements } from "./element-limit.js";
import { emptyMaker } from "./empty.js";
import { setEntry, type Target } from "./values.js";

/** The readers of all types, made when they are first needed. Types contain each other, and share them. */
class Readers {
  readonly #compiles: boolean;
  readonly #readers = new WeakMap<DescMessage, TypeReader>();

  /** @param compiles whether to make code of types that are read often */
  constructor(compiles: boolean) {
    this.#compiles = compiles;
  }

  readerOf(desc: DescMessage): TypeReader {
    const known = this.#readers.get(desc);
    if (known !== undefined) return known;
    const reader = new TypeReader(desc, this.#compiles, (replace) => {
      const fields = planFields(desc, (inner) => this.readerOf(inner));
      const support = { readUnknown, checkEnd, nameField: fieldNamer(fields) };
      const interpreted = interpret(fields, support);
      return this.#compiles
        ? interpretFirst(interpreted, () => compileReader(desc, fields, support), replace)
        : interpreted;
    });
    this.#readers.set(desc, reader);
    return reader;
  }
}

class TypeReader implements MessageReader {
  readonly #cost: number;
  readonly #createUncounted: () => Message;
  #readFields: FieldsReader;

  /** @param prepare makes the function that reads, and calls `replace` if there is a faster one later */
  constructor(
    desc: DescMessage,
    compiles: boolean,
    prepare: (replace: (readFields: FieldsReader) => void) => FieldsReader,
  ) {
    this.#cost = elementCost(desc);
    this.#createUncounted = emptyMaker(desc, compiles);
    this.#readFields = (...args) => {
      this.#readFields = prepare((readFields) => {
        this.#readFields = readFields;
      });
      this.#readFields(...args);
    };
  }

  create(): Message {
    spendElements(this.#cost);
    return this.#createUncounted();
  }

  /** Reads all of the bytes. */
  readWhole(): Message {
    const message = this.#createUncounted();
    this.#read(message, inputLength(), noGroup, 1);
    return message;
  }

  readSized(depth: number, before?: Message): Message {
    const message = before ?? this.create();
    this.#read(message, readEnd(), noGroup, depth + 1);
    return message;
  }

  readGroup(depth: number, before: Message | undefined, endTag: number): Message {
    const message = before ?? this.create();
    this.#read(message, inputLength(), endTag, depth + 1);
    return message;
  }

  #read(message: Message, end: number, endTag: number, depth: number): void {
    checkDepth(depth);
    this.#readFields(message as unknown as Target, end, endTag, depth);
  }
}

function readUnknown(target: Target, tag: number, depth: number): void {
  const start = position();
  skip(tag, depthLeft(depth));
  keepUnknown(target, tag, start);
}

function checkEnd(end: number, endTag: number): void {
  if (endTag !== noGroup) throw new BinaryError("group without an end");
  if (isPast(end)) throw pastEnd("message");
}

/** Returns what adds the name of a field to an error, with the index of the item in a list. */
function fieldNamer(fields: readonly FieldPlan[]): ReadSupport["nameField"] {
  return (error, tag, message) => {
    const field = fields.find((plan) => plan.tag === tag)?.desc;
    if (field === undefined || !(error instanceof BinaryError)) return error;
    const { fieldKind, name, localName } = field;
    return error.within(fieldKind === "list" ? `${name}[${(message[localName] as unknown[]).length}]` : name);
  };
}

/** Reads by the plan itself. */
function interpret(
  fields: readonly FieldPlan[],
  { readUnknown: readOther, checkEnd: check, nameField }: ReadSupport,
): FieldsReader {
  const stores = new Map(fields.map((field) => [field.tag, fieldStore(field)]));
  return (message, end, endTag, depth) => {
    let tag = 0;
    try {
      while (isBefore(end)) {
        tag = 0;
        tag = readTag();
        const store = stores.get(tag);
        if (store !== undefined) store(message, depth);
        else if (tag === endTag) return;
        else readOther(message, tag, depth);
      }
      if (endTag !== noGroup) tag = 0;
      check(end, endTag);
    } catch (error) {
      throw nameField(error, tag, message);
    }
  };
}

function fieldStore(field: FieldPlan): Store {
  const { name, value } = field;
  switch (field.kind) {
    case "set":
      return (target, depth) => {
        target[name] = value.read(depth, field.isInherited && !Object.hasOwn(target, name) ? undefined : target[name]);
      };
    case "choose":
      return (target, depth) => {
        const chosen = target[name] as { case?: string; value?: unknown };
        const before = chosen.case === field.case ? chosen.value : undefined;
        target[name] = { case: field.case, value: value.read(depth, before) };
      };
    case "append":
      return (target, depth) => {
        spendElements(1);
        (target[name] as unknown[]).push(value.read(depth));
      };
    case "packed":
      return (target, depth) => {
        const stop = readEnd();
        while (isBefore(stop)) {
          spendElements(1);
          const item = value.read(depth);
          if (isPast(stop)) throw pastEnd("list");
          (target[name] as unknown[]).push(item);
        }
      };
    case "closed":
      return field.store;
    case "map":
      return (target, depth) => readEntry(field, target[name] as Target, depth);
  }
}

/** Reads an entry of a map, which is a message with the fields `key = 1` and `value = 2`. */
function readEntry(field: FieldPlan & { kind: "map" }, map: Target, depth: number): void {
  const stop = readEnd();
  let key = field.zeroKey;
  let value: unknown;
  try {
    for (let tag = nextTag(stop); tag !== 0; tag = nextTag(stop)) {
      if (tag === field.keyTag) key = field.readKey();
      else if (tag === field.valueTag) value = field.value.read(depth);
      else skip(tag, depthLeft(depth));
    }
    if (isPast(stop)) throw pastEnd("entry");
  } catch (error) {
    throw withinEntry(error, key);
  }
  spendElements(entryCost);
  setEntry(map, key, value ?? field.createEmpty());
}

const compiled = new Readers(true);
const interpreted = new Readers(false);

/** Decodes a message. Its `bytes` fields and unknown fields are parts of the given bytes. @throws BinaryError or ElementLimitError */
export type Decoder = (bytes: Uint8Array) => Message;

/** Prepares the decoding of a type. @param compiles whether to make code, where the runtime does */
export function createDecoder(desc: DescMessage, options: BinaryDecodeOptions = {}, compiles = true): Decoder {
  let reader: TypeReader | undefined;
  return (bytes) => {
    reader ??= (compiles && canRunCode ? compiled : interpreted).readerOf(desc);
    openState(options);
    openInput(bytes);
    try {
      return reader.readWhole();
    } catch (error) {
      throw error instanceof BinaryError && !error.hasPath ? error.within(desc.typeName) : error;
    } finally {
      closeInput();
    }
  };
}
