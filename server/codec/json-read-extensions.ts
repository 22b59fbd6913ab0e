// Reads extensions from JSON, `"[package.name]": value`, and adds them to a message as protobuf-es keeps them.
import { type DescExtension, type DescField, type DescMessage, type Message, setExtension } from "@bufbuild/protobuf";
import { Fault } from "./json-read-error.js";
import { type FieldPlan, interpretField } from "./json-read-fields.js";
import { state } from "./json-read-state.js";
import type { Target } from "./values.js";

/** Reads the value of an extension into a message. */
export type ExtensionReader = (message: Message, depth: number) => void;

const readers = new WeakMap<DescExtension, ExtensionReader>();

/**
 * @param name the name of a member
 * @param planField plans the reading of a field
 * @returns undefined if the name is that of no known extension of the type
 */
export function extensionReader(
  desc: DescMessage,
  name: string,
  planField: (field: DescField) => FieldPlan,
): ExtensionReader | undefined {
  if (!name.startsWith("[") || !name.endsWith("]")) return undefined;
  const extension = state.settings.registry?.getExtension(name.slice(1, -1));
  if (extension === undefined || extension.extendee.typeName !== desc.typeName) return undefined;
  const known = readers.get(extension);
  if (known !== undefined) return known;
  const reader = createReader(extension, planField);
  readers.set(extension, reader);
  return reader;
}

function createReader(extension: DescExtension, planField: (field: DescField) => FieldPlan): ExtensionReader {
  const field = { ...extension, kind: "field", parent: extension.extendee, localName: "value", oneof: undefined };
  const read = interpretField(planField(field as unknown as DescField));
  return (message, depth) => {
    const target: Target = extension.fieldKind === "list" ? { value: [] } : {};
    read(target, depth);
    if (target.value === undefined) return;
    try {
      setExtension(message, extension, target.value as never);
    } catch (reason) {
      throw new Fault(`expected a complete value, found ${reason instanceof Error ? reason.message : reason}`);
    }
  };
}
