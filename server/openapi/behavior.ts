// Turns google.api.field_behavior into keywords of JSON Schema (google/api/field_behavior.proto, https://google.aip.dev/203).
import { type DescField, getOption, hasOption } from "@bufbuild/protobuf";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import type { Schema } from "./types.js";

/** What the annotation says of a field. */
interface Behavior {
  /** Whether a request must have it. */
  readonly isRequired: boolean;
  readonly keywords: Schema;
}

const known = new WeakMap<DescField, Behavior>();

/** What the annotation says. A field without it is an ordinary one. */
export function behaviorOf(field: DescField): Behavior {
  const behavior = known.get(field) ?? readBehavior(field);
  known.set(field, behavior);
  return behavior;
}

function readBehavior(field: DescField): Behavior {
  // Reading an option that is not there costs as much as one that is.
  const behaviors = hasOption(field, field_behavior) ? getOption(field, field_behavior) : [];
  return {
    isRequired: behaviors.includes(FieldBehavior.REQUIRED),
    keywords: {
      ...(behaviors.includes(FieldBehavior.OUTPUT_ONLY) ? { readOnly: true } : {}),
      ...(behaviors.includes(FieldBehavior.INPUT_ONLY) ? { writeOnly: true } : {}),
    },
  };
}
