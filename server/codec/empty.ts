// Makes empty messages.
import { create, type DescMessage, type Message } from "@bufbuild/protobuf";

type Fields = Record<string, unknown>;

/** V8 turns an object of more than 128 properties into a hash table, and then copies it more slowly than `create` makes it. */
const maxCopied = 120;

/**
 * Prepares the making of messages as `create` makes them, but several times as fast: a copy of a literal is one allocation,
 * and properties that are set one by one turn an object of more than about 16 into a hash table of ten times the size.
 */
export function emptyMaker(desc: DescMessage): () => Message {
  const empty = create(desc) as unknown as Fields;
  const names = Object.keys(empty);
  // Types of proto2 and editions keep default values in a prototype.
  const hasDefaults = Object.getPrototypeOf(empty) !== Object.prototype;
  if (hasDefaults || names.length > maxCopied) return () => create(desc);
  // Only an object that JSON.parse has made is stored like a literal.
  const template = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as Fields;
  Object.assign(template, empty);
  const makers = names.flatMap((name): [string, () => object][] => {
    const value = empty[name];
    return typeof value === "object" && value !== null ? [[name, maker(value)]] : [];
  });
  if (makers.length === 0) return () => ({ ...template }) as unknown as Message;
  return () => {
    const message = { ...template };
    for (const [name, make] of makers) message[name] = make();
    return message as unknown as Message;
  };
}

function maker(value: object): () => object {
  if (Array.isArray(value)) return () => [];
  if (value instanceof Uint8Array) return () => new Uint8Array(0);
  return "case" in value ? () => ({ case: undefined }) : () => ({});
}
