// Makes straight-line code of the plan of a type: it writes the fields one after the other.
import type { DescMessage } from "@bufbuild/protobuf";
import { closeSized, openSized, rejectValue, writeVarint } from "./binary-output.js";
import type { FieldPlan, ValuePlan, ValueWriter } from "./binary-write-plan.js";
import { writeUnknown } from "./binary-write-unknown.js";
import { Code } from "./code.js";

/** Returns code that returns a function that writes the fields of a message. */
export function generateWriter(desc: DescMessage, fields: readonly FieldPlan[]): Code {
  const code = new Code();
  code.add("return function write(message) {");
  code.add(`if (message.$typeName !== ${JSON.stringify(desc.typeName)}) ${code.call(rejectValue)}();`, "let value;");
  for (const field of fields) addField(code, field);
  code.add(`if (message.$unknown !== undefined) ${code.call(writeUnknown)}(message.$unknown);`, "}");
  return code;
}

/** Makes the function. */
export function compileWriter(desc: DescMessage, fields: readonly FieldPlan[]): ValueWriter {
  return generateWriter(desc, fields).run(`${desc.typeName}.write`) as ValueWriter;
}

function addField(code: Code, field: FieldPlan): void {
  const name = JSON.stringify(field.name);
  code.add(`value = message[${name}];`);
  switch (field.kind) {
    case "implicit":
      addIf(code, `!${code.call(field.value.isZero)}(value)`, () => addValue(code, field, "value"));
      break;
    case "explicit": {
      const isSet = `value !== undefined${field.isInherited ? ` && Object.hasOwn(message, ${name})` : ""}`;
      addIf(code, isSet, () => addValue(code, field, "value"));
      if (field.isRequired) code.add(`else ${code.call(rejectValue)}();`);
      break;
    }
    case "oneof":
      addIf(code, `value.case === ${JSON.stringify(field.case)}`, () => addValue(code, field, "value.value"));
      break;
    case "list":
      addItems(code, () => addValue(code, field, "item"));
      break;
    case "packed":
      addIf(code, "value.length > 0", () => {
        code.add(`${code.call(writeVarint)}(${field.tag});`);
        addSized(code, 2, () => addItems(code, () => code.add(writeCall(code, field.value, "item"))));
      });
      break;
    case "map":
      addEntries(code, field);
  }
}

function addIf(code: Code, condition: string, addBody: () => void): void {
  code.add(`if (${condition}) {`);
  addBody();
  code.add("}");
}

function addValue(code: Code, { tag, value }: { tag: number; value: ValuePlan }, name: string): void {
  code.add(`${code.call(writeVarint)}(${tag});`, writeCall(code, value, name));
}

/** Messages are written by their types, not by way of a function that all types have in common. */
function writeCall(code: Code, { message, endTag, write }: ValuePlan, name: string): string {
  if (message === undefined) return `${code.call(write)}(${name});`;
  const type = code.use(message, "message_");
  if (endTag === undefined) return `${type}.writeSized(${name});`;
  return `${type}.write(${name}); ${code.call(writeVarint)}(${endTag});`;
}

function addItems(code: Code, addItem: () => void): void {
  code.add(`if (!Array.isArray(value)) ${code.call(rejectValue)}();`, "for (const item of value) {");
  addItem();
  code.add("}");
}

/** @param lengthBytes how many bytes the length is expected to take */
function addSized(code: Code, lengthBytes: number, addContent: () => void): void {
  code.add("{", `const start = ${code.call(openSized)}(${lengthBytes});`);
  addContent();
  code.add(`${code.call(closeSized)}(start, ${lengthBytes});`, "}");
}

function addEntries(code: Code, field: FieldPlan & { kind: "map" }): void {
  const { tag, keyTag, writeKey, valueTag, value } = field;
  const writeTag = code.call(writeVarint);
  code.add("for (const key of Object.keys(value)) {", `${writeTag}(${tag});`);
  addSized(code, 1, () => {
    code.add(`${writeTag}(${keyTag});`, `${code.call(writeKey)}(key);`);
    code.add(`${writeTag}(${valueTag});`, writeCall(code, value, "value[key]"));
  });
  code.add("}");
}
