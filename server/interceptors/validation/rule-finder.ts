// Finds the messages that have rules of protovalidate. Descriptors by reflection have them as unknown fields of their options.
import { type DescField, type DescMessage, hasOption } from "@bufbuild/protobuf";

/** The extensions of protovalidate: options that are rules. */
export type RuleExtensions = Pick<
  typeof import("@bufbuild/protovalidate/gen/buf/validate/validate_pb.js"),
  "field" | "message" | "oneof"
>;

export class RuleFinder {
  readonly #extensions: RuleExtensions;
  readonly #found = new WeakMap<DescMessage, boolean>();

  constructor(extensions: RuleExtensions) {
    this.#extensions = extensions;
  }

  /** Whether a message has rules, or one that may be inside it. */
  hasRules(type: DescMessage): boolean {
    const found = this.#found.get(type) ?? [...typesIn(type)].some((one) => this.#hasOwnRules(one));
    this.#found.set(type, found);
    return found;
  }

  #hasOwnRules(type: DescMessage): boolean {
    const { field, message, oneof } = this.#extensions;
    return (
      hasOption(type, message) ||
      type.fields.some((one) => hasOption(one, field)) ||
      type.oneofs.some((one) => hasOption(one, oneof))
    );
  }
}

/** A message and all that may be inside it. What a google.protobuf.Any holds is not known. */
export function typesIn(type: DescMessage): ReadonlySet<DescMessage> {
  const types = new Set([type]);
  // Types that are added while this runs are visited, too.
  for (const { fields } of types) for (const field of fields) addType(types, field);
  return types;
}

function addType(types: Set<DescMessage>, { message }: DescField): void {
  if (message !== undefined) types.add(message);
}
