// Makes messages of what handlers return, as `create` of protobuf-es does, in 0.4 of the time.
import { create, type DescField, type DescMessage, isMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { emptyMaker } from "./empty.js";
import type { Source, Target } from "./values.js";

/** Makes a message of one type of a value that has some of its fields. A message of the type is returned as it is. */
export type MessageMaker = (init: object) => Message;

const makers = new WeakMap<DescMessage, MessageMaker>();

/** Returns the maker of a type: the same each time. */
export function messageMaker(desc: DescMessage): MessageMaker {
  const known = makers.get(desc);
  if (known !== undefined) return known;
  const maker = prepareMaker(desc);
  makers.set(desc, maker);
  return maker;
}

function prepareMaker(desc: DescMessage): MessageMaker {
  const createEmpty = emptyMaker(desc, false);
  const copied = desc.fields.filter(isCopied).map(({ localName }) => localName);
  const bytes = desc.fields.filter(isBytes).map(({ localName }) => localName);
  const others = desc.members.filter((member) => member.kind === "oneof" || !isCopied(member));
  const otherNames = others.map(({ localName }) => localName);

  /** Whether only `create` can take the value. */
  function isUnusual(init: Source): boolean {
    for (const name of otherNames) if (init[name] !== undefined && init[name] !== null) return true;
    for (const name of bytes) if (Array.isArray(init[name])) return true;
    return false;
  }

  return (init) => {
    if (isMessage(init, desc)) return init;
    const source = init as Source;
    if (typeof init !== "object" || init === null || isUnusual(source)) return create(desc, source);
    const message = createEmpty();
    for (const name of copied) {
      const value = source[name];
      if (value !== undefined && value !== null) (message as unknown as Target)[name] = value;
    }
    return message;
  };
}

/** Whether the field of the message has the very value that it is made from. */
function isCopied(field: DescField): boolean {
  if (field.oneof !== undefined || field.message !== undefined) return false;
  return field.fieldKind === "scalar" || field.scalar !== ScalarType.BYTES;
}

/** Whether the field also takes an array of numbers. */
function isBytes(field: DescField): boolean {
  return isCopied(field) && field.scalar === ScalarType.BYTES;
}
