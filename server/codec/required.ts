// Finds required fields that are not set: proto2's `required`, and LEGACY_REQUIRED of editions.
import { type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { quote } from "../quote.js";

/** Thrown for a message without one of its required fields. */
export class MissingFieldError extends Error {
  override readonly name = "MissingFieldError";
  /** The path of the field in proto names, with `[0]` for items and `["key"]` for entries. */
  readonly field: string;
  /** What is wrong with it. */
  readonly problem = "required field is not set";

  constructor(field: string) {
    super(`${field}: required field is not set`);
    this.field = field;
  }
}

/** The fields of a type that matter here. */
interface Plan {
  readonly required: readonly DescField[];
  /** Fields with messages that have required fields, themselves or further down. */
  readonly nested: readonly DescField[];
}

const plans = new WeakMap<DescMessage, Plan>();

/**
 * Returns a function that throws MissingFieldError for a message without a required field, at whatever depth; undefined
 * if messages of the type cannot have required fields, as in proto3. Extensions and `google.protobuf.Any` are not looked into.
 */
export function createRequiredCheck(desc: DescMessage): ((message: Message) => void) | undefined {
  if (!canRequire(desc)) return undefined;
  return (message) => {
    const path = findMissing(desc, message);
    if (path !== undefined) throw new MissingFieldError(path);
  };
}

function isRequired({ presence }: DescField): boolean {
  return presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
}

/** Whether the type, or a type that it contains, has required fields. */
function canRequire(desc: DescMessage, seen: Set<DescMessage> = new Set()): boolean {
  if (seen.has(desc)) return false;
  seen.add(desc);
  return desc.fields.some(
    (field) => isRequired(field) || (field.message !== undefined && canRequire(field.message, seen)),
  );
}

function planOf(desc: DescMessage): Plan {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const plan = {
    required: desc.fields.filter(isRequired),
    nested: desc.fields.filter(({ message }) => message !== undefined && canRequire(message)),
  };
  plans.set(desc, plan);
  return plan;
}

function findMissing(desc: DescMessage, message: Message): string | undefined {
  const { required, nested } = planOf(desc);
  const missing = required.find((field) => !isFieldSet(message, field));
  if (missing !== undefined) return missing.name;
  for (const field of nested) {
    const path = findInField(field, field.message as DescMessage, valueIn(message, field));
    if (path !== undefined) return field.name + path;
  }
  return undefined;
}

function valueIn(message: Message, { localName, oneof }: DescField): unknown {
  const fields = message as unknown as Record<string, unknown>;
  if (oneof === undefined) return fields[localName];
  const chosen = fields[oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}

/** The path from the end of the field's name. */
function findInField({ fieldKind }: DescField, desc: DescMessage, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (fieldKind === "list") {
    for (const [index, item] of (value as Message[]).entries()) {
      const path = findMissing(desc, item);
      if (path !== undefined) return `[${index}].${path}`;
    }
    return undefined;
  }
  if (fieldKind === "map") {
    for (const [key, item] of Object.entries(value as Record<string, Message>)) {
      const path = findMissing(desc, item);
      if (path !== undefined) return `[${quote(key)}].${path}`;
    }
    return undefined;
  }
  const path = findMissing(desc, value as Message);
  return path && `.${path}`;
}
