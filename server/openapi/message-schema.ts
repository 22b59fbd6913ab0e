// Turns messages and enumerations into schemas of their ProtoJSON (https://protobuf.dev/programming-guides/json/), one
// component each, which others refer to, so that types may contain themselves.
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { type Claims, hasClaimedRival, noClaims } from "../rest/claims.js";
import { isNested } from "../rest/fields.js";
import { behaviorOf } from "./behavior.js";
import type { Comments } from "./comments.js";
import type { Components } from "./components.js";
import { constraintsOf, isOneofRequired } from "./constraints.js";
import { needsExample, objectExample, valueExample } from "./examples.js";
import { exclusions } from "./exclusions.js";
import { limitByOption, objectLimits, optionAnnotations } from "./gateway-schema-options.js";
import { isRequired, isRequiredBeside, isStricter } from "./required.js";
import { constrain } from "./rule-keywords.js";
import { mapKeySchema, scalarSchema } from "./scalar-schema.js";
import type { Schema } from "./types.js";
import { wellKnownSchema, wrapperSchema } from "./well-known-schema.js";

/** How JSON is written. */
export interface JsonForm {
  /** Whether fields have the names of the proto. */
  readonly useProtoNames: boolean;
  /** Whether enum values are numbers. */
  readonly enumsAsNumbers: boolean;
}

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
    return this.#components.schema(name, () => wellKnownSchema(desc) ?? this.object(desc));
  }

  /** The schema of a message less what the path has: a reference, since generators name types after those. */
  rest(name: string, desc: DescMessage, claims: ReadonlyMap<DescField, Claims>): Schema {
    return this.#components.schema(name, () => this.object(desc, claims));
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
    const oneofs = desc.oneofs.filter((oneof) => oneof.fields.every((field) => fields.includes(field)));
    const example = needsExample(desc) ? this.#example(desc, claims, []) : undefined;
    return {
      type: "object",
      ...this.#annotations(desc),
      properties: Object.fromEntries(properties),
      ...(required.length > 0 ? { required } : {}),
      ...exclusions(
        forbidden.map((field) => this.nameOf(field)),
        oneofs.map((oneof) => ({
          names: oneof.fields.map((field) => this.nameOf(field)),
          isRequired: isOneofRequired(oneof),
        })),
      ),
      ...(example === undefined ? {} : { example }),
      ...objectLimits(desc),
      ...optionAnnotations(desc),
    };
  }

  /** The schema of a field's value, less what `claims` names. */
  field(field: DescField, claims?: Claims): Schema {
    if (claims !== undefined && claims !== "whole" && isNested(field)) return this.object(field.message, claims);
    const { keywords, itemKeywords, keyKeywords } = constraintsOf(field);
    if (field.fieldKind === "list")
      return { type: "array", items: constrain(this.item(field), itemKeywords), ...keywords };
    if (field.fieldKind !== "map") return constrain(this.item(field), keywords);
    const keys = { ...mapKeySchema(field.mapKey), ...keyKeywords };
    const propertyNames = Object.keys(keys).length > 0 ? { propertyNames: keys } : {};
    return {
      type: "object",
      additionalProperties: constrain(this.item(field), itemKeywords),
      ...propertyNames,
      ...this.#mapExample(field),
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
      const values = desc.values.map((value) => [value.name, this.#comments.get(`${desc.typeName}.${value.name}`)]);
      const list = values.filter(([, text]) => text !== undefined).map(([name, text]) => `- \`${name}\`: ${text}`);
      const { description, ...annotations } = this.#annotations(desc);
      const text = [description ?? [], list.join("\n") || []].flat().join("\n\n");
      return { ...this.#enumValues(desc), ...annotations, ...(text === "" ? {} : { description: text }) };
    });
  }

  #enumValues({ values }: DescEnum): Schema {
    return this.#form.enumsAsNumbers
      ? { type: "integer", enum: [...new Set(values.map(({ number }) => number))] }
      : { type: "string", enum: values.map(({ name }) => name) };
  }

  /** The name of a field in JSON. */
  nameOf(field: DescField): string {
    return this.#form.useProtoNames ? field.name : field.jsonName;
  }

  #property(field: DescField, claims: Claims | undefined): Schema {
    return {
      ...limitByOption(this.field(field, claims), field),
      ...this.#annotations(field),
      ...behaviorOf(field).keywords,
      ...optionAnnotations(field),
    };
  }

  /** @param within the messages around this one, which it cannot contain in an example */
  #example(
    desc: DescMessage,
    claims: ReadonlyMap<DescField, Claims>,
    within: readonly DescMessage[],
  ): object | undefined {
    if (within.includes(desc)) return undefined;
    const fields = desc.fields.filter((field) => !claims.has(field) && !hasClaimedRival(claims, field));
    return objectExample(
      fields.map((field) => ({
        name: this.nameOf(field),
        schema: {
          ...limitByOption(this.#exampleSchema(field, [...within, desc]), field),
          ...behaviorOf(field).keywords,
          ...optionAnnotations(field),
        },
        isRequired: this.#isInput && isRequired(field),
        oneof: field.oneof,
      })),
    );
  }

  /** A schema that has an example, or says all that an example has to be. */
  #exampleSchema(field: DescField, within: readonly DescMessage[]): Schema {
    if (field.fieldKind === "enum") return constrain(this.#enumValues(field.enum), constraintsOf(field).keywords);
    if (field.fieldKind !== "message" || isWrapperDesc(field.message)) return this.field(field);
    const known = wellKnownSchema(field.message);
    if (known !== undefined) return known;
    return isRequired(field) ? { example: this.#example(field.message, noClaims, within) } : {};
  }

  /** Tools make up names for keys. */
  #mapExample(field: DescField & { fieldKind: "map" }): Schema {
    if (field.mapKey === ScalarType.STRING) return {};
    const value = field.mapKind === "scalar" ? valueExample(scalarSchema(field.scalar)) : {};
    const isSimple = field.mapKind === "scalar" || (field.mapKind === "message" && !isStricter(field.message));
    return isSimple ? { example: { [field.mapKey === ScalarType.BOOL ? "true" : "1"]: value } } : {};
  }

  #annotations(desc: DescMessage | DescEnum | DescField): { description?: string; deprecated?: true } {
    const name = desc.kind === "field" ? `${desc.parent.typeName}.${desc.name}` : desc.typeName;
    const description = this.#comments.get(name);
    return {
      ...(description === undefined ? {} : { description }),
      ...(desc.deprecated ? { deprecated: true } : {}),
    };
  }
}
