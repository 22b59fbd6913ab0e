// Makes empty messages.
import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { Code, canRunCode } from "./code.js";

type Fields = Record<string, unknown>;

/** V8 turns an object of more than 128 properties into a hash table, and then copies it more slowly than `create` makes it. */
const maxProperties = 120;

/** The value of all `bytes` fields that are not set: it has nothing that could be changed. */
const noBytes = new Uint8Array(0);

/**
 * Prepares the making of messages as `create` makes them, but many times as fast.
 *
 * @param compiles whether to make code, where the runtime does
 */
export function emptyMaker(desc: DescMessage, compiles = false): () => Message {
  const empty = create(desc) as unknown as Fields;
  if (Object.keys(empty).length > maxProperties) return () => create(desc);
  return compiles && canRunCode ? compiledMaker(desc) : copyingMaker(desc, empty);
}

/** Binary and JSON share makers, and so their messages have one shape. */
const compiledMakers = new WeakMap<DescMessage, () => Message>();

function compiledMaker(desc: DescMessage): () => Message {
  const known = compiledMakers.get(desc);
  if (known !== undefined) return known;
  const make = generateMaker(desc).run(`${desc.typeName}.create`) as () => Message;
  compiledMakers.set(desc, make);
  return make;
}

/** Returns code that returns a function that makes messages: a constructor gives all of them one shape. */
export function generateMaker(desc: DescMessage): Code {
  const empty = create(desc) as unknown as Fields;
  const code = new Code();
  code.add("function Message() {");
  for (const [name, value] of Object.entries(empty))
    code.add(`this[${JSON.stringify(name)}] = ${literal(code, value)};`);
  // Types of proto2 and editions keep default values in a prototype.
  code.add("}", `Message.prototype = ${code.use(Object.getPrototypeOf(empty), "prototype_")};`);
  code.add("return () => new Message();");
  return code;
}

function literal(code: Code, value: unknown): string {
  if (value instanceof Uint8Array) return code.use(noBytes, "noBytes_");
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && value !== null) return "case" in value ? "{ case: undefined }" : "{}";
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "bigint" ? `${value}n` : String(value);
}

/** A copy of a literal is one allocation; setting properties one by one makes a hash table of more than about 16. */
function copyingMaker(desc: DescMessage, empty: Fields): () => Message {
  const names = Object.keys(empty);
  if (Object.getPrototypeOf(empty) !== Object.prototype) return () => create(desc);
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
  if (value instanceof Uint8Array) return () => noBytes;
  return "case" in value ? () => ({ case: undefined }) : () => ({});
}
