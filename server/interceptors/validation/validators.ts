// Validators of protovalidate, which keep the rules of message types compiled.
import { createRegistry, type DescExtension, type DescFile, type DescMessage, type Message } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import type { Validator, Violation } from "@bufbuild/protovalidate";
import { withDependencies } from "../../schema/descriptor-index.js";
import { isSmall } from "./message-size.js";

type Library = Pick<typeof import("@bufbuild/protovalidate"), "createValidator">;

/** The rules that a message breaks. */
export interface Violations {
  /** In the order in which they were found. Never empty. */
  readonly found: readonly Violation[];
  /** Whether there may be more. */
  readonly isPart: boolean;
}

/** The two ways to look for violations. Each compiles rules of its own. */
interface Pair {
  /** Stops at the first violation. */
  readonly first: Validator;
  readonly all: Validator;
}

/** A validator keeps all types that it has seen, also those that a reload has replaced. After so many files it is replaced. */
const filesMax = 1000;

/** Errors that do not depend on the value of a field: the expression is wrong. */
const isOfExpression = /^(?:unresolved attribute|unbound function|found no matching overload|expression .* outputs)/;

export class Validators {
  readonly #library: Library;
  readonly #pairs = new WeakMap<DescFile, Pair>();
  /** By the first of their predefined rules. */
  readonly #predefined = new WeakMap<DescExtension, { others: readonly DescExtension[]; pair: Pair }[]>();
  /** For files without predefined rules: it takes 0.2 s to make one, mostly for the rules of protovalidate itself. */
  #shared: Pair | undefined;
  #sharedFiles = 0;

  constructor(library: Library) {
    this.#library = library;
  }

  /**
   * Returns what is wrong with a message. Only of a small one all violations are looked for: 4 million items of a list can have
   * as many.
   *
   * @throws Error if a rule cannot be evaluated
   */
  validate(type: DescMessage, message: Message): Violations | undefined {
    const { first, all } = this.#of(type.file);
    const result = first.validate(type, message);
    if (result.kind === "valid") return undefined;
    if (result.kind === "error") throw failure(type, result.error);
    if (!isSmall(message)) return { found: result.violations, isPart: true };
    const whole = all.validate(type, message);
    return { found: whole.violations ?? result.violations, isPart: whole.violations === undefined };
  }

  /**
   * Tries the rules of a message.
   *
   * @param file of the message that it may be inside of
   * @throws Error if they are wrong, whatever the message has
   */
  checkRules(file: DescFile, type: DescMessage, sample: Message): void {
    const { first, all } = this.#of(file);
    first.validate(type, sample);
    const { error } = all.validate(type, sample);
    if (error?.name === "CompilationError" || isOfExpression.test(error?.message ?? "")) throw failure(type, error);
  }

  #of(file: DescFile): Pair {
    const pair = this.#pairs.get(file) ?? this.#open(file);
    this.#pairs.set(file, pair);
    return pair;
  }

  #open(file: DescFile): Pair {
    const [rule, ...others] = predefinedRules(file);
    if (rule !== undefined) return this.#openWith(rule, others);
    if (this.#shared === undefined || this.#sharedFiles++ >= filesMax) {
      this.#shared = this.#create([]);
      this.#sharedFiles = 1;
    }
    return this.#shared;
  }

  /** Files with the same predefined rules share a pair. */
  #openWith(rule: DescExtension, others: readonly DescExtension[]): Pair {
    const known = this.#predefined.get(rule) ?? [];
    this.#predefined.set(rule, known);
    const isSame = (one: (typeof known)[number]) =>
      one.others.length === others.length && one.others.every((other, index) => other === others[index]);
    const found = known.find(isSame);
    if (found !== undefined) return found.pair;
    const pair = this.#create([rule, ...others]);
    known.push({ others, pair });
    return pair;
  }

  #create(predefined: readonly DescExtension[]): Pair {
    const registry = createRegistry(...predefined);
    const { createValidator } = this.#library;
    return { first: createValidator({ registry, failFast: true }), all: createValidator({ registry }) };
  }
}

/** Rules that files define themselves, by extensions of those of protovalidate. */
function predefinedRules(file: DescFile): readonly DescExtension[] {
  return [...withDependencies([file]).values()]
    .flatMap((one) => [...nestedTypes(one)])
    .filter((type) => type.kind === "extension")
    .filter(({ extendee }) => /^buf\.validate\.\w+Rules$/.test(extendee.typeName))
    .sort((a, b) => a.typeName.localeCompare(b.typeName));
}

function failure({ typeName }: DescMessage, cause: Error | undefined): Error {
  return new Error(`rules of ${typeName}: ${cause?.message}`, { cause });
}
