// Makes examples that a server takes: tools fill forms and mock responses with them.
import type { DescMessage, DescOneof } from "@bufbuild/protobuf";
import type { Schema } from "./types.js";

/** A property of a message. */
interface ExampleProperty {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  readonly oneof: DescOneof | undefined;
}

/**
 * Tools make an example from the properties of a message. That has two members of a oneof, and no end if the message
 * contains itself.
 */
export function needsExample(desc: DescMessage): boolean {
  return (
    desc.oneofs.some(({ fields }) => fields.length > 1) ||
    desc.fields.some(({ message }) => message?.typeName === desc.typeName)
  );
}

/**
 * An object with required and simple properties, and with one member of each oneof.
 *
 * @returns undefined if a required property has no simple example
 */
export function objectExample(properties: readonly ExampleProperty[]): object | undefined {
  const entries: [string, unknown][] = [];
  const filled = new Set<DescOneof>();
  for (const { name, schema, isRequired, oneof } of properties) {
    const isRival = oneof !== undefined && filled.has(oneof);
    const value = isRival || schema.readOnly === true ? undefined : valueExample(schema);
    if (value !== undefined) {
      entries.push([name, value]);
      if (oneof !== undefined) filled.add(oneof);
    } else if (isRequired) return undefined;
  }
  return Object.fromEntries(entries);
}

/** An example of what a schema allows; undefined for objects, references, and rules that no simple value can be found for. */
export function valueExample(schema: Schema): unknown {
  const { example, const: only, enum: names, type, items, anyOf, allOf, not, pattern, format } = schema;
  if (example !== undefined) return example;
  if (only !== undefined) return only;
  if (Array.isArray(names)) return names[1] ?? names[0];
  if (type === "boolean") return true;
  if ([anyOf, allOf, not, pattern].some((rule) => rule !== undefined)) return undefined;
  if (type === "array") return arrayExample(schema, items as Schema);
  if (type === "integer" || type === "number") return numberExample(schema);
  return type === "string" && format === undefined ? textExample(schema) : undefined;
}

function arrayExample({ minItems = 0 }: Schema, items: Schema): unknown {
  const item = valueExample(items);
  return item === undefined || Number(minItems) > 1 ? undefined : [item];
}

function numberExample({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): number | undefined {
  const isAllowed = (value: number) =>
    value >= Number(minimum ?? value) &&
    value <= Number(maximum ?? value) &&
    value > Number(exclusiveMinimum ?? value - 1) &&
    value < Number(exclusiveMaximum ?? value + 1);
  return [1, 0, Number(minimum), Number(maximum), Number(exclusiveMinimum) + 1].find(isAllowed);
}

function textExample({ minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Schema): string {
  return "text".padEnd(Number(minLength), ".").slice(0, Number(maxLength));
}
