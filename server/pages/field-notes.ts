// Says what a schema demands of a field: google.api.field_behavior, presence, oneof, deprecation.
import { type DescField, getOption, hasOption } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";

/** Short notes: "required", "output only", "oneof identity". */
export function fieldNotes(field: DescField): string[] {
  const behaviors = hasOption(field, field_behavior) ? getOption(field, field_behavior) : [];
  return [
    ...behaviors.filter((behavior) => behavior !== FieldBehavior.FIELD_BEHAVIOR_UNSPECIFIED).map(nameOf),
    ...presenceNotes(field),
    ...(field.oneof === undefined ? [] : [`oneof ${field.oneof.name}`]),
    ...(field.deprecated ? ["deprecated"] : []),
  ];
}

/** `OUTPUT_ONLY` → "output only". */
function nameOf(behavior: FieldBehavior): string {
  return (FieldBehavior[behavior] ?? String(behavior)).toLowerCase().replaceAll("_", " ");
}

/** Messages and members of a oneof always have presence. */
function presenceNotes({ presence, fieldKind, oneof }: DescField): string[] {
  if (presence === FeatureSet_FieldPresence.LEGACY_REQUIRED) return ["required"];
  const isPlain = (fieldKind === "scalar" || fieldKind === "enum") && oneof === undefined;
  return isPlain && presence === FeatureSet_FieldPresence.EXPLICIT ? ["optional"] : [];
}
