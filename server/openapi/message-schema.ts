// Turns messages and enumerations into schemas of their ProtoJSON (https://protobuf.dev/programming-guides/json/), one
// component each, which others refer to, so that types may contain themselves.
import type { DescEnum, DescField, DescMessage, DescOneof, Registry } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { type Claims, hasClaimedRival, noClaims } from "../rest/claims.js";
import { isNested } from "../rest/fields.js";
import { behaviorOf } from "./behavior.js";
import type { Comments } from "./comments.js";
import type { Components } from "./components.js";
import { constraintsOf, isOneofRequired } from "./constraints.js";
import { isRequiredBeside, isStricter } from "./required.js";
import { mapKeySchema, scalarSchema } from "./scalar-schema.js";
import type { Schema } from "./types.js";
import { wellKnownSchema, wrapperSchema } from "./well-known-schema.js";

/** How JSON is written. */
export interface JsonForm {
  /** Whether fields have the names of the proto. */
  readonly useProtoNames: boolean;
  /** Whether enum values are numbers. */
  readonly enumsAsNumbers: boolean;
  /** What a `google.protobuf.Any` may hold. */
  readonly registry: Registry | undefined;
}

/** What no value fits. */
const never: Schema = { not: {} };

/** Makes the schemas of one form of JSON, sent (`input`) or received: a reply need not have what a request must have. */
export class MessageSchemas {
  readonly #form: JsonForm;
  readonly #components: Components;
  readonly #comments: Comments;
  readonly #isInput: boolean;
  /** Tells components of one type apart; no name of a type has a "-". */
  readonly #suffix: string;

  constructor(form: JsonForm, components: Components, comments: Comments, isInput: boolean) {
    this.#form = form;
    this.#components = components;
    this.#comments = comments;
    this.#isInput = isInput;
    this.#suffix = `${form.useProtoNames ? "-proto-names" : ""}${form.enumsAsNumbers ? "-numbers" : ""}`;
  }

  /** The schema of a message: a reference, but for wrappers. */
  message(desc: DescMessage): Schema {
    const wrapped = wrapperSchema(desc);
    if (wrapped !== undefined) return wrapped;
    const suffix = this.#isInput && isStricter(desc) ? `${this.#suffix}-input` : this.#suffix;
    const name = `${desc.typeName}${hasCustomJsonRepresentation(desc) ? "" : suffix}`;
    return this.#components.schema(name, () => this.#wellKnown(desc) ?? this.object(desc));
  }

  /**
   * The schema of an object with the message's fields, less those that `claims` names, which the path of a request has.
   * Other members of their oneofs are forbidden.
   */
  object(desc: DescMessage, claims: ReadonlyMap<DescField, Claims> = noClaims): Schema {
    const left = desc.fields.filter((field) => claims.get(field) !== "whole");
    const fields = left.filter((field) => !hasClaimedRival(claims, field));
    const isRequiredHere = (field: DescField) => isRequiredBeside(field, claims.get(field));
    const required = this.#isInput ? fields.filter(isRequiredHere).map((field) => this.nameOf(field)) : [];
    const properties = fields.map((field) => [this.nameOf(field), this.#property(field, claims.get(field))] as const);
    const forbidden = left.filter((field) => hasClaimedRival(claims, field));
    const nevers = forbidden.map((field) => [this.nameOf(field), never] as const);
    const oneofs = desc.oneofs.filter((oneof) => oneof.fields.every((field) => fields.includes(field)));
    return {
      type: "object",
      ...this.#annotations(desc),
      properties: Object.fromEntries([...properties, ...nevers]),
      ...(required.length > 0 ? { required } : {}),
      ...this.#oneofs(oneofs.filter((oneof) => oneof.fields.length > 1 || isOneofRequired(oneof))),
    };
  }

  /** The schema of a field's value, less what `claims` names. */
  field(field: DescField, claims?: Claims): Schema {
    if (claims !== undefined && claims !== "whole" && isNested(field)) return this.object(field.message, claims);
    const { keywords, itemKeywords, keyKeywords } = constraintsOf(field);
    if (field.fieldKind === "list")
      return { type: "array", items: { ...this.item(field), ...itemKeywords }, ...keywords };
    if (field.fieldKind !== "map") return { ...this.item(field), ...keywords };
    const keys = { ...mapKeySchema(field.mapKey), ...keyKeywords };
    const propertyNames = Object.keys(keys).length > 0 ? { propertyNames: keys } : {};
    return {
      type: "object",
      additionalProperties: { ...this.item(field), ...itemKeywords },
      ...propertyNames,
      ...keywords,
    };
  }

  /** The schema of one value of a field: of one item, if it is a list. */
  item(field: DescField): Schema {
    if (field.scalar !== undefined) return scalarSchema(field.scalar);
    return field.enum === undefined ? this.message(field.message) : this.enum(field.enum);
  }

  /** The schema of an enumeration: its names, or its numbers. */
  enum(desc: DescEnum): Schema {
    if (desc.typeName === "google.protobuf.NullValue") return { type: "null" };
    const suffix = this.#form.enumsAsNumbers ? "-numbers" : "";
    return this.#components.schema(`${desc.typeName}${suffix}`, () => {
      const numbers = { type: "integer", enum: [...new Set(desc.values.map(({ number }) => number))] };
      const names = { type: "string", enum: desc.values.map(({ name }) => name) };
      const values = desc.values.map((value) => [value.name, this.#comments.get(`${desc.typeName}.${value.name}`)]);
      const list = values.filter(([, text]) => text !== undefined).map(([name, text]) => `- \`${name}\`: ${text}`);
      const { description, ...annotations } = this.#annotations(desc);
      const text = [description ?? [], list.join("\n") || []].flat().join("\n\n");
      return { ...(suffix === "" ? names : numbers), ...annotations, ...(text === "" ? {} : { description: text }) };
    });
  }

  /** The name of a field in JSON. */
  nameOf(field: DescField): string {
    return this.#form.useProtoNames ? field.name : field.jsonName;
  }

  #wellKnown(desc: DescMessage): Schema | undefined {
    return wellKnownSchema(desc, this.#form.registry, (held) => this.message(held));
  }

  #property(field: DescField, claims: Claims | undefined): Schema {
    return { ...this.field(field, claims), ...this.#annotations(field), ...behaviorOf(field).keywords };
  }

  #annotations(desc: DescMessage | DescEnum | DescField): { description?: string; deprecated?: true } {
    const name = desc.kind === "field" ? `${desc.parent.typeName}.${desc.name}` : desc.typeName;
    const description = this.#comments.get(name);
    return {
      ...(description === undefined ? {} : { description }),
      ...(desc.deprecated ? { deprecated: true } : {}),
    };
  }

  /** At most one member of each; one, if it is required. */
  #oneofs(oneofs: readonly DescOneof[]): Schema {
    const rules = oneofs.map((oneof) => {
      const members = oneof.fields.map((field) => ({ title: field.name, required: [this.nameOf(field)] }));
      const absent = Object.fromEntries(oneof.fields.map((field) => [this.nameOf(field), never] as const));
      const nothing = { title: `no ${oneof.name}`, properties: absent };
      return { oneOf: isOneofRequired(oneof) ? members : [...members, nothing] };
    });
    return rules.length > 1 ? { allOf: rules } : (rules[0] ?? {});
  }
}
