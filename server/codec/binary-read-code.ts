// Makes straight-line code of the plan of a type: it reads each field where its number leads.
import type { DescMessage } from "@bufbuild/protobuf";
import { isBefore, isPast, nextTag, readEnd, readTag, skip } from "./binary-input.js";
import type { FieldPlan, ValuePlan } from "./binary-read-plan.js";
import { depthLeft, pastEnd, withinEntry } from "./binary-read-state.js";
import { Code } from "./code.js";
import { entryCost, spendElements } from "./element-limit.js";
import { setEntry, type Target } from "./values.js";

/**
 * Reads fields into a message: up to a position, or to the tag that ends a group.
 *
 * @param depth that of the message
 */
export type FieldsReader = (message: Target, end: number, endTag: number, depth: number) => void;

/** Stands for the tag that ends a group. */
export const noGroup = -1;

/** What all types have in common. */
export interface ReadSupport {
  /** Reads a field that the type does not have. */
  readonly readUnknown: (message: Target, tag: number, depth: number) => void;
  /** Checks that a message ends where it should. */
  readonly checkEnd: (end: number, endTag: number) => void;
  /** Adds the field to the path of an error. */
  readonly nameField: (error: unknown, tag: number, message: Target) => unknown;
}

/** Returns code that returns a `FieldsReader`. */
export function generateReader(fields: readonly FieldPlan[], support: ReadSupport): Code {
  const code = new Code();
  code.add("return function readFields(message, end, endTag, depth) {", "let tag = 0;", "try {");
  // Without a tag an error has no field.
  code.add(
    `while (${code.call(isBefore)}(end)) {`,
    "tag = 0;",
    `tag = ${code.call(readTag)}();`,
    "switch (tag >>> 3) {",
  );
  let number = 0;
  for (const field of fields) {
    // A list may have two plans, one after the other.
    if (number !== 0 && number !== field.desc.number) code.add("break;");
    if (number !== field.desc.number) code.add(`case ${field.desc.number}:`);
    number = field.desc.number;
    code.add(`if (tag === ${field.tag}) {`);
    addField(code, field);
    code.add("continue;", "}");
  }
  code.add(
    "}",
    "if (tag === endTag) return;",
    `${code.call(support.readUnknown)}(message, tag, depth);`,
    "}",
    `if (endTag !== ${noGroup}) tag = 0;`,
  );
  code.add(`${code.call(support.checkEnd)}(end, endTag);`);
  code.add("} catch (error) {", `throw ${code.call(support.nameField)}(error, tag, message);`, "}", "};");
  return code;
}

/** Makes the function. */
export function compileReader(desc: DescMessage, fields: readonly FieldPlan[], support: ReadSupport): FieldsReader {
  return generateReader(fields, support).run(`${desc.typeName}.read`) as FieldsReader;
}

function addField(code: Code, field: FieldPlan): void {
  const property = `message[${JSON.stringify(field.name)}]`;
  switch (field.kind) {
    case "set": {
      const isOwn = `Object.hasOwn(message, ${JSON.stringify(field.name)})`;
      const before = field.isInherited ? `${isOwn} ? ${property} : undefined` : property;
      code.add(`${property} = ${readCall(code, field.value, before)};`);
      break;
    }
    case "choose": {
      const name = JSON.stringify(field.case);
      const before = `${property}.case === ${name} ? ${property}.value : undefined`;
      code.add(`${property} = { case: ${name}, value: ${readCall(code, field.value, before)} };`);
      break;
    }
    case "append":
      code.add(`${code.call(spendElements)}(1);`, `${property}.push(${readCall(code, field.value)});`);
      break;
    case "packed":
      code.add(`const list = ${property};`, `const stop = ${code.call(readEnd)}();`);
      code.add(`while (${code.call(isBefore)}(stop)) {`, `${code.call(spendElements)}(1);`);
      code.add(`const item = ${readCall(code, field.value)};`);
      code.add(`if (${code.call(isPast)}(stop)) throw ${code.call(pastEnd)}("list");`, "list.push(item);", "}");
      break;
    case "closed":
      code.add(`${code.use(field.store, "store_")}(message, depth);`);
      break;
    case "map":
      addEntry(code, field, property);
  }
}

/** Messages are read by their types, not by way of a function that all types have in common. */
function readCall(code: Code, { message, endTag, isMerged, read }: ValuePlan, before = "undefined"): string {
  if (message === undefined) return isMerged ? `${code.call(read)}(depth, ${before})` : `${code.call(read)}(depth)`;
  const type = code.use(message, "message_");
  if (endTag === undefined) return `${type}.readSized(depth, ${before})`;
  return `${type}.readGroup(depth, ${before}, ${endTag})`;
}

function addEntry(code: Code, field: FieldPlan & { kind: "map" }, property: string): void {
  const { keyTag, readKey, zeroKey, valueTag, value, createEmpty } = field;
  code.add(`const stop = ${code.call(readEnd)}();`, `let key = ${JSON.stringify(zeroKey)};`, "let value;", "try {");
  code.add("let part;", `while ((part = ${code.call(nextTag)}(stop)) !== 0) {`);
  code.add(`if (part === ${keyTag}) key = ${code.use(readKey, "readKey_")}();`);
  code.add(`else if (part === ${valueTag}) value = ${readCall(code, value)};`);
  code.add(`else ${code.call(skip)}(part, ${code.call(depthLeft)}(depth));`, "}");
  code.add(`if (${code.call(isPast)}(stop)) throw ${code.call(pastEnd)}("entry");`);
  code.add("} catch (error) {", `throw ${code.call(withinEntry)}(error, key);`, "}");
  code.add(`${code.call(spendElements)}(${entryCost});`);
  code.add(`${code.call(setEntry)}(${property}, key, value ?? ${code.use(createEmpty, "createEmpty_")}());`);
}
