// Makes code of the plan of a type: it reads each member where the index of its field leads.
import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "./code.js";
import { isNullNext, signs, take, takeNull } from "./json-input.js";
import { failTwice } from "./json-read-error.js";
import { type FieldPlan, readEntries, readList } from "./json-read-fields.js";
import { ignored } from "./json-read-scalar.js";
import type { Target } from "./values.js";

/**
 * Reads the members of an object into a message, up to the bracket that ends it.
 *
 * @param passedName a member that is passed over
 */
export type MembersReader = (message: Target, depth: number, passedName: string | undefined) => void;

/** What the code of a type calls, with fields by their indexes in the type. */
export interface ReaderSupport {
  /** Takes the name of a member. Returns its field, or -1. @param next the field that is expected */
  readonly takeMember: (next: number) => number;
  /** Reads a member that is no field. Returns the names that may not come again. */
  readonly readOther: (
    message: Target,
    depth: number,
    passedName: string | undefined,
    names: Set<string> | undefined,
  ) => Set<string> | undefined;
  /** Adds a field to what was thrown. */
  readonly nameField: (reason: unknown, index: number) => unknown;
  /** Refuses a second member of a oneof. */
  readonly failOneof: (message: Target, index: number) => never;
}

/** Returns code that returns a `MembersReader`. */
export function generateReader(fields: readonly FieldPlan[], support: ReaderSupport): Code {
  const code = new Code();
  const places = Math.max(fields.length, ...fields.map(({ oneofIndex }) => oneofIndex + 1));
  const seen = Array.from({ length: Math.ceil(places / bitsOfSeen) }, (_, index) => `, seen${index} = 0`);
  code.add("return function readMembers(message, depth, passedName) {");
  code.add(`let index = -1, next = 0, value, names${seen.join("")};`, "try {", "do {");
  // What is wrong with a name is no fault of the field before it.
  code.add(
    "index = -1;",
    `index = ${code.call(support.takeMember)}(next);`,
    "if (index >= 0) next = index + 1;",
    "switch (index) {",
  );
  fields.forEach((field, index) => {
    code.add(`case ${index}:`);
    addSeen(code, index, `${code.call(failTwice)}()`);
    addOneof(code, field, `${code.call(support.failOneof)}(message, ${index})`);
    addField(code, field);
    code.add("break;");
  });
  code.add("default:", `names = ${code.call(support.readOther)}(message, depth, passedName, names);`);
  code.add("}", `} while (${code.call(take)}(${signs.comma}));`);
  code.add("} catch (reason) {", `throw ${code.call(support.nameField)}(reason, index);`, "}", "};");
  return code;
}

/** Makes the function. */
export function compileReader(desc: DescMessage, fields: readonly FieldPlan[], support: ReaderSupport): MembersReader {
  return generateReader(fields, support).run(`${desc.typeName}.readJson`) as MembersReader;
}

/** Numbers that V8 keeps without memory of their own have so many. */
const bitsOfSeen = 30;

function addSeen(code: Code, index: number, fail: string): void {
  const variable = `seen${Math.floor(index / bitsOfSeen)}`;
  const bit = 1 << (index % bitsOfSeen);
  code.add(`if ((${variable} & ${bit}) !== 0) ${fail};`, `${variable} |= ${bit};`);
}

function addOneof(code: Code, { oneofIndex, isScalar }: FieldPlan, fail: string): void {
  if (oneofIndex < 0) return;
  code.add(isScalar ? `if (!${code.call(isNullNext)}()) {` : "{");
  addSeen(code, oneofIndex, fail);
  code.add("}");
}

function addField(code: Code, field: FieldPlan): void {
  const property = `message[${JSON.stringify(field.name)}]`;
  const read = code.call(field.read);
  const takesNull = `${code.call(takeNull)}()`;
  switch (field.kind) {
    case "list":
      code.add(`${code.call(readList)}(${property}, ${read}, depth);`);
      break;
    case "map":
      code.add(`if (!${takesNull}) ${code.call(readEntries)}(${property}, ${code.call(field.toKey)}, ${read}, depth);`);
      break;
    case "singular":
    case "oneof": {
      if (!field.hasNull) code.add(`if (${takesNull}) break;`);
      const found = field.kind === "oneof" ? `{ case: ${JSON.stringify(field.case)}, value }` : "value";
      code.add(`value = ${read}(depth);`, `if (value !== ${code.use(ignored, "ignored_")}) ${property} = ${found};`);
    }
  }
}
