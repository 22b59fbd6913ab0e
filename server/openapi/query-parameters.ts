// Lists the parameters that a query may have, by the rules by which it is read: query.ts.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { type Claims, claimsOf, hasClaimedRival, noClaims } from "../rest/claims.js";
import { isNested } from "../rest/fields.js";
import { leafOf } from "../rest/leaf.js";
import { maskFieldOf } from "../rest/read/patch-mask.js";
import type { Binding } from "../rest/route/binding.js";
import type { Comments } from "./comments.js";
import { optionDescription } from "./gateway-schema-options.js";
import type { MessageSchemas } from "./message-schema.js";
import { isRequired } from "./required.js";
import { textSchema } from "./text-schema.js";
import type { Parameter, Schema } from "./types.js";

/** How many are listed, and how many names a path has: what the server reads of one query, untold. */
const limit = 1000;
const depthLimit = 32;

/** What the parameters of one document share. */
interface QueryContext {
  readonly input: MessageSchemas;
  readonly comments: Comments;
  readonly hasPatchMask: boolean;
}

/** The parameters of one binding, in the order of the fields. A message within itself is not followed any further. */
export function queryParameters(binding: Binding, { input, comments, hasPatchMask }: QueryContext): Parameter[] {
  const mask = hasPatchMask ? maskFieldOf(binding) : undefined;
  const parameters: Parameter[] = [];
  for (const fields of listFields(binding.method.input, claimsOf(binding), [], [])) {
    if (parameters.length === limit) break;
    const parameter = toParameter(fields, input, comments);
    parameters.push(fields[0] === mask ? toOptional(parameter) : parameter);
  }
  return parameters;
}

/** The server makes the mask where it is not sent, also where the schema says that it must be. */
function toOptional({ required: _, description, ...parameter }: Parameter): Parameter {
  return { ...parameter, description: [description ?? [], "Default: the members of the body."].flat().join(" ") };
}

/** The field paths that a query can name. `within` are the messages on the way. */
function* listFields(
  desc: DescMessage,
  claims: Claims,
  parents: readonly DescField[],
  within: readonly DescMessage[],
): Generator<readonly DescField[]> {
  if (claims === "whole" || within.includes(desc) || parents.length === depthLimit) return;
  for (const field of desc.fields) {
    if (claims.get(field) === "whole" || hasClaimedRival(claims, field)) continue;
    const fields = [...parents, field];
    if (leafOf(field) !== undefined) yield fields;
    else if (isNested(field)) {
      yield* listFields(field.message, claims.get(field) ?? noClaims, fields, [...within, desc]);
    }
  }
}

function toParameter(fields: readonly DescField[], schemas: MessageSchemas, comments: Comments): Parameter {
  const field = fields.at(-1) as DescField;
  const comment = optionDescription(field) ?? comments.get(`${field.parent.typeName}.${field.name}`);
  const rivals = listRivals(fields).map((rival) => `\`${printQueryPath(rival, schemas)}\``);
  const exclusion = rivals.length === 0 ? [] : `Not together with ${rivals.join(", ")}.`;
  const description = [comment ?? [], exclusion].flat().join(" ");
  const isNeeded = fields.every(isRequired);
  const schema = textSchema(field, schemas);
  return {
    name: printQueryPath(fields, schemas),
    in: "query",
    ...(isNeeded ? { required: true } : {}),
    ...(description === "" ? {} : { description }),
    ...(fields.some((one) => one.deprecated) ? { deprecated: true } : {}),
    schema: isNeeded ? schema : withoutExample(schema),
  };
}

/** Swagger UI sends the examples of all parameters, and with them two members of a oneof. */
function withoutExample({ example: _, items, ...schema }: Schema): Schema {
  return items === undefined ? schema : { ...schema, items: withoutExample(items as Schema) };
}

/** The other members of the oneofs on the way, of which a query may have one only: each with all that is within it. */
function listRivals(fields: readonly DescField[]): DescField[][] {
  return fields.flatMap((field, index) => {
    const others = field.oneof?.fields.filter((other) => other !== field) ?? [];
    return others.map((other) => [...fields.slice(0, index), other]);
  });
}

/** In a query a dot separates, and a dollar begins what is no field. */
function printQueryPath(fields: readonly DescField[], schemas: MessageSchemas): string {
  const names = fields.map((field, index) => {
    const name = schemas.nameOf(field);
    return name.includes(".") || (index === 0 && name.startsWith("$")) ? field.name : name;
  });
  return names.join(".");
}
