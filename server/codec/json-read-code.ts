// Makes code of the plan of a type: it reads each field where its index leads.
import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "./code.js";
import { takeNull } from "./json-input.js";
import { type FieldPlan, readEntries, readList } from "./json-read-fields.js";
import { ignored } from "./json-read-scalar.js";
import type { Target } from "./values.js";

/** Reads the value of a field, by its index in the type, into a message. @throws Fault */
export type IndexedReader = (index: number, message: Target, depth: number) => void;

/** Returns code that returns an `IndexedReader`. */
export function generateReader(fields: readonly FieldPlan[]): Code {
  const code = new Code();
  code.add("return function readField(index, message, depth) {", "let value;", "switch (index) {");
  fields.forEach((field, index) => {
    code.add(`case ${index}:`);
    addField(code, field);
    code.add("return;");
  });
  code.add("}", "};");
  return code;
}

/** Makes the function. */
export function compileReader(desc: DescMessage, fields: readonly FieldPlan[]): IndexedReader {
  return generateReader(fields).run(`${desc.typeName}.readJson`) as IndexedReader;
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
      if (!field.hasNull) code.add(`if (${takesNull}) return;`);
      const found = field.kind === "oneof" ? `{ case: ${JSON.stringify(field.case)}, value }` : "value";
      code.add(`value = ${read}(depth);`, `if (value !== ${code.use(ignored, "ignored_")}) ${property} = ${found};`);
    }
  }
}
