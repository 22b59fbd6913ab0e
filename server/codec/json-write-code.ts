// Makes straight-line code of the plan of a type: it writes the fields one after the other.
import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "./code.js";
import {
  closeList,
  closeObject,
  isWritten,
  outputPosition,
  putColon,
  putComma,
  putName,
  rewindOutput,
} from "./json-output.js";
import { refuse, withinEntry, withinField, withinItem } from "./json-write-error.js";
import type { ExtensionsWriter } from "./json-write-extensions.js";
import { type FieldPlan, refuseUnset, type ValuePlan } from "./json-write-fields.js";
import type { ValueWriter } from "./json-write-scalar.js";

/**
 * Returns code that returns a function that writes a message.
 *
 * @param writeExtensions undefined if they are not written
 */
export function generateWriter(
  desc: DescMessage,
  fields: readonly FieldPlan[],
  writeExtensions: ExtensionsWriter | undefined,
): Code {
  const code = new Code();
  const typeName = JSON.stringify(desc.typeName);
  code.add("return function write(message) {");
  code.add(`if (message?.$typeName !== ${typeName}) ${code.call(refuse)}(${typeName}, message);`);
  code.add(`const start = ${code.call(outputPosition)}();`, 'let value, at = 0, field = "";', "try {");
  for (const field of fields) addField(code, field);
  code.add("} catch (error) {", `throw ${code.call(withinField)}(error, field);`, "}");
  if (writeExtensions !== undefined) {
    code.add(`if (message.$unknown !== undefined) ${code.call(writeExtensions)}(message, ${code.use(desc, "desc_")});`);
  }
  code.add(`${code.call(closeObject)}(start);`, "};");
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
  code.add(`field = ${JSON.stringify(plan.name)};`, `value = message[${property}];`);
  switch (plan.kind) {
    case "oneof":
      code.add(`if (value?.case === ${JSON.stringify(plan.case)}) {`);
      code.add(nameCall(code, plan), valueCall(code, plan.value, "value.value"), "}");
      break;
    case "explicit": {
      const isOwn = plan.isInherited ? ` && Object.hasOwn(message, ${property})` : "";
      code.add(`if (value !== undefined${isOwn}) {`, nameCall(code, plan), valueCall(code, plan.value, "value"), "}");
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

function nameCall(code: Code, { prefix }: FieldPlan): string {
  return `${code.call(putName)}(${code.use(prefix, "name_")});`;
}

function valueCall(code: Code, { message, write }: ValuePlan, value: string): string {
  return `${message === undefined ? code.call(write) : `${code.use(message, "message_")}.write`}(${value});`;
}

function addImplicit(code: Code, plan: FieldPlan & { kind: "implicit" }): void {
  const { zero, zeroText, hasOtherZeros, isAlways, value } = plan;
  if (isAlways) {
    code.add(
      `if (value === undefined) value = ${literal(code, zero)};`,
      nameCall(code, plan),
      valueCall(code, value, "value"),
    );
    return;
  }
  // -0 is not the default of a float.
  const isSet = zero === 0 ? "!Object.is(value, 0)" : `value !== ${literal(code, zero)}`;
  code.add(`if (value !== undefined && ${isSet}) {`);
  if (hasOtherZeros) code.add(`const start = ${code.call(outputPosition)}();`);
  code.add(nameCall(code, plan));
  if (hasOtherZeros) code.add(`at = ${code.call(outputPosition)}();`);
  code.add(valueCall(code, value, "value"));
  if (hasOtherZeros) {
    code.add(`if (${code.call(isWritten)}(at, ${JSON.stringify(zeroText)})) ${code.call(rewindOutput)}(start);`);
  }
  code.add("}");
}

function literal(code: Code, zero: unknown): string {
  if (typeof zero === "object") return code.use(zero, "zero_");
  return typeof zero === "bigint" ? `${zero}n` : JSON.stringify(zero);
}

function addList(code: Code, plan: FieldPlan & { kind: "list" }): void {
  if (plan.isAlways) code.add("{", "value ??= [];");
  else code.add("if (value?.length > 0) {");
  code.add(`if (!Array.isArray(value)) ${code.call(refuse)}("a list", value);`);
  code.add(nameCall(code, plan), `const start = ${code.call(outputPosition)}();`, "let index = 0;", "try {");
  code.add("for (; index < value.length; index++) {", `${code.call(putComma)}();`);
  code.add(valueCall(code, plan.value, "value[index]"), "}");
  code.add("} catch (error) {", `throw ${code.call(withinItem)}(error, index);`, "}");
  code.add(`${code.call(closeList)}(start);`, "}");
}

function addMap(code: Code, plan: FieldPlan & { kind: "map" }): void {
  code.add("value ??= {};");
  code.add(`if (typeof value !== "object" || Array.isArray(value)) ${code.call(refuse)}("a map", value);`);
  code.add("{", "const keys = Object.keys(value);", plan.isAlways ? "{" : "if (keys.length > 0) {");
  code.add(nameCall(code, plan), `const start = ${code.call(outputPosition)}();`, 'let key = "";', "try {");
  code.add("for (let index = 0; index < keys.length; index++) {", "key = keys[index];", `${code.call(putComma)}();`);
  code.add(valueCall(code, { write: plan.writeKey }, "key"), `${code.call(putColon)}();`);
  code.add(valueCall(code, plan.value, "value[key]"), "}");
  code.add("} catch (error) {", `throw ${code.call(withinEntry)}(error, key);`, "}");
  code.add(`${code.call(closeObject)}(start);`, "}", "}");
}
