// Makes straight-line code of the plan of a type: it writes the fields one after the other.
import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "./code.js";
import { refuse, withinEntry, withinField, withinItem } from "./json-write-error.js";
import type { ExtensionsWriter } from "./json-write-extensions.js";
import { type FieldPlan, hasOneZero, refuseUnset, type ValuePlan } from "./json-write-fields.js";
import type { ValueWriter } from "./json-write-scalar.js";

/** Returns code that returns a function that writes a message. @param writeExtensions undefined if they are not written */
export function generateWriter(
  desc: DescMessage,
  fields: readonly FieldPlan[],
  writeExtensions: ExtensionsWriter | undefined,
): Code {
  const code = new Code();
  const typeName = JSON.stringify(desc.typeName);
  code.add("return function write(message) {");
  code.add(`if (message?.$typeName !== ${typeName}) ${code.call(refuse)}(${typeName}, message);`);
  code.add('let text = "{", value, field = "";', "try {");
  for (const field of fields) addField(code, field);
  code.add("} catch (error) {", `throw ${code.call(withinField)}(error, field);`, "}");
  if (writeExtensions !== undefined) {
    code.add("if (message.$unknown !== undefined) {");
    code.add(`value = ${code.call(writeExtensions)}(message, ${code.use(desc, "desc_")});`);
    code.add('if (value !== "") text += text === "{" ? value : "," + value;', "}");
  }
  code.add('return text + "}";', "};");
  return code;
}

/** Makes the function. */
export function compileWriter(
  desc: DescMessage,
  fields: readonly FieldPlan[],
  writeExtensions: ExtensionsWriter | undefined,
): ValueWriter {
  return generateWriter(desc, fields, writeExtensions).run(`${desc.typeName}.writeJson`) as ValueWriter;
}

function addField(code: Code, plan: FieldPlan): void {
  const property = JSON.stringify(plan.property);
  const prefix = nameOf(plan);
  code.add(`field = ${JSON.stringify(plan.name)};`, `value = message[${property}];`);
  switch (plan.kind) {
    case "oneof":
      code.add(`if (value?.case === ${JSON.stringify(plan.case)}) {`);
      code.add(`text += ${prefix} + ${writeCall(code, plan.value, "value.value")};`, "}");
      break;
    case "explicit": {
      const isOwn = plan.isInherited ? ` && Object.hasOwn(message, ${property})` : "";
      code.add(`if (value !== undefined${isOwn}) text += ${prefix} + ${writeCall(code, plan.value, "value")};`);
      if (plan.isRequired) code.add(`else ${code.call(refuseUnset)}();`);
      break;
    }
    case "implicit":
      addImplicit(code, plan);
      break;
    case "list":
      addList(code, plan);
      break;
    case "map":
      addMap(code, plan);
  }
}

/** The name of a member, with a comma before it if it is not the first. */
function nameOf({ prefix }: FieldPlan): string {
  return `(text.length === 1 ? ${JSON.stringify(prefix)} : ${JSON.stringify(`,${prefix}`)})`;
}

function writeCall(code: Code, { message, write }: ValuePlan, value: string): string {
  return message === undefined ? `${code.call(write)}(${value})` : `${code.use(message, "message_")}.write(${value})`;
}

function addImplicit(code: Code, plan: FieldPlan & { kind: "implicit" }): void {
  const { zero, zeroText, isAlways, value } = plan;
  // -0 is not the default of a float. The default of bytes is equal to no other.
  const isZero =
    typeof zero === "object" ? "" : ` && ${zero === 0 ? "!Object.is(value, 0)" : `value !== ${literal(zero)}`}`;
  const otherwise = isAlways ? `else text += ${nameOf(plan)} + ${JSON.stringify(zeroText)};` : "";
  if (isAlways || !hasOneZero(plan)) {
    code.add(
      `value = value !== undefined${isZero} ? ${writeCall(code, value, "value")} : ${JSON.stringify(zeroText)};`,
    );
    code.add(`if (value !== ${JSON.stringify(zeroText)}) text += ${nameOf(plan)} + value;`, otherwise);
  } else code.add(`if (value !== undefined${isZero}) text += ${nameOf(plan)} + ${writeCall(code, value, "value")};`);
}

function literal(zero: unknown): string {
  return typeof zero === "bigint" ? `${zero}n` : JSON.stringify(zero);
}

function addList(code: Code, plan: FieldPlan & { kind: "list" }): void {
  const isWritten = plan.isAlways ? "true" : "value !== undefined && value !== null && value.length !== 0";
  code.add(`if (${isWritten}) {`, "if (value === undefined || value === null) value = [];");
  code.add(`if (!Array.isArray(value)) ${code.call(refuse)}("a list", value);`);
  code.add(`text += ${nameOf(plan)} + "[";`, "let index = 0;", "try {", "for (; index < value.length; index++) {");
  code.add('if (index > 0) text += ",";', `text += ${writeCall(code, plan.value, "value[index]")};`, "}");
  code.add("} catch (error) {", `throw ${code.call(withinItem)}(error, index);`, "}", 'text += "]";', "}");
}

function addMap(code: Code, plan: FieldPlan & { kind: "map" }): void {
  code.add("if (value === undefined || value === null) value = {};");
  code.add(`if (typeof value !== "object" || Array.isArray(value)) ${code.call(refuse)}("a map", value);`);
  code.add("{", "const keys = Object.keys(value);", `if (${plan.isAlways} || keys.length > 0) {`);
  code.add(`text += ${nameOf(plan)} + "{";`, 'let key = "";', "try {");
  code.add("for (let index = 0; index < keys.length; index++) {", "key = keys[index];", 'if (index > 0) text += ",";');
  code.add(`text += ${code.call(plan.writeKey)}(key) + ":" + ${writeCall(code, plan.value, "value[key]")};`, "}");
  code.add("} catch (error) {", `throw ${code.call(withinEntry)}(error, key);`, "}", 'text += "}";', "}", "}");
}
