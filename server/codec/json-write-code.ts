// Makes straight-line code of the plan of a type: it writes the fields one after the other.
import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "./code.js";
import { encodeName, putCharacter, putName, putString, putText, textPosition } from "./json-output.js";
import { refuse, withinEntry, withinField, withinItem } from "./json-write-error.js";
import type { ExtensionsWriter } from "./json-write-extensions.js";
import { type FieldPlan, type MessageWriter, refuseUnset, type ValuePlan } from "./json-write-fields.js";
import { writeString } from "./json-write-scalar.js";

/**
 * Returns code that returns a function that puts a message into the output.
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
  code.add("return function put(message) {");
  code.add(`if (message?.$typeName !== ${typeName}) ${code.call(refuse)}(${typeName}, message);`);
  code.add(putSign(code, "{"), `const first = ${code.call(textPosition)}();`, 'let value, text, field = "";', "try {");
  for (const field of fields) addField(code, field);
  code.add("} catch (error) {", `throw ${code.call(withinField)}(error, field);`, "}");
  if (writeExtensions !== undefined) {
    code.add("if (message.$unknown !== undefined) {");
    code.add(`text = ${code.call(writeExtensions)}(message, ${code.use(desc, "desc_")});`);
    code.add('if (text !== "") {', `if (${code.call(textPosition)}() !== first) ${putSign(code, ",")}`);
    code.add(`${code.call(putText)}(text);`, "}", "}");
  }
  code.add(putSign(code, "}"), "};");
  return code;
}

/** Makes the function. */
export function compileWriter(
  desc: DescMessage,
  fields: readonly FieldPlan[],
  writeExtensions: ExtensionsWriter | undefined,
): MessageWriter["put"] {
  return generateWriter(desc, fields, writeExtensions).run(`${desc.typeName}.putJson`) as MessageWriter["put"];
}

function addField(code: Code, plan: FieldPlan): void {
  const property = JSON.stringify(plan.property);
  code.add(`field = ${JSON.stringify(plan.name)};`, `value = message[${property}];`);
  switch (plan.kind) {
    case "oneof":
      code.add(`if (value?.case === ${JSON.stringify(plan.case)}) {`);
      code.add(putNameCall(code, plan), putCall(code, plan.value, "value.value"), "}");
      break;
    case "explicit": {
      const isOwn = plan.isInherited ? ` && Object.hasOwn(message, ${property})` : "";
      code.add(`if (value !== undefined${isOwn}) {`, putNameCall(code, plan), putCall(code, plan.value, "value"), "}");
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

function putNameCall(code: Code, { prefix }: FieldPlan): string {
  return `${code.call(putName)}(first, ${code.use(encodeName(prefix), "name_")});`;
}

function putSign(code: Code, sign: string): string {
  return `${code.call(putCharacter)}(${sign.charCodeAt(0)});`;
}

function putCall(code: Code, { message, write }: ValuePlan, value: string): string {
  if (message !== undefined) return `${code.use(message, "message_")}.put(${value});`;
  if (write === writeString) return `${code.call(putString)}(${value});`;
  return `${code.call(putText)}(${code.call(write)}(${value}));`;
}

/** A field without presence is not set if it has its default value, which is the same JSON whatever it is made of. */
function addImplicit(code: Code, plan: FieldPlan & { kind: "implicit" }): void {
  const { zero, isAlways, value } = plan;
  if (value.write === writeString && !isAlways) {
    code.add('if (value !== undefined && value !== "") {', putNameCall(code, plan), putCall(code, value, "value"), "}");
    return;
  }
  const zeroText = JSON.stringify(plan.zeroText);
  // -0 is not the default of a float. The default of bytes is equal to no other.
  const isSet = zero === 0 ? "!Object.is(value, 0)" : typeof zero === "object" ? "true" : `value !== ${literal(zero)}`;
  code.add(`if (value !== undefined && ${isSet}) {`);
  code.add(`text = ${code.call(value.write)}(value);`);
  code.add(
    `if (${isAlways} || text !== ${zeroText}) {`,
    putNameCall(code, plan),
    `${code.call(putText)}(text);`,
    "}",
    "}",
  );
  if (isAlways) code.add("else {", putNameCall(code, plan), `${code.call(putText)}(${zeroText});`, "}");
}

function literal(zero: unknown): string {
  return typeof zero === "bigint" ? `${zero}n` : JSON.stringify(zero);
}

function addList(code: Code, plan: FieldPlan & { kind: "list" }): void {
  code.add(`if (${plan.isAlways} || value?.length > 0) {`, "value ??= [];");
  code.add(`if (!Array.isArray(value)) ${code.call(refuse)}("a list", value);`);
  code.add(putNameCall(code, plan), putSign(code, "["), "let index = 0;", "try {");
  code.add("for (; index < value.length; index++) {", `if (index > 0) ${putSign(code, ",")}`);
  code.add(putCall(code, plan.value, "value[index]"), "}");
  code.add("} catch (error) {", `throw ${code.call(withinItem)}(error, index);`, "}", putSign(code, "]"), "}");
}

function addMap(code: Code, plan: FieldPlan & { kind: "map" }): void {
  code.add("value ??= {};");
  code.add(`if (typeof value !== "object" || Array.isArray(value)) ${code.call(refuse)}("a map", value);`);
  code.add("{", "const keys = Object.keys(value);", `if (${plan.isAlways} || keys.length > 0) {`);
  code.add(putNameCall(code, plan), putSign(code, "{"), 'let key = "";', "try {");
  code.add("for (let index = 0; index < keys.length; index++) {", "key = keys[index];");
  code.add(`if (index > 0) ${putSign(code, ",")}`, putCall(code, { write: plan.writeKey }, "key"), putSign(code, ":"));
  code.add(putCall(code, plan.value, "value[key]"), "}");
  code.add("} catch (error) {", `throw ${code.call(withinEntry)}(error, key);`, "}", putSign(code, "}"), "}", "}");
}
