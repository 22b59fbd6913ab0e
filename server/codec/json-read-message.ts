// Reads messages whose JSON is an object of their fields: each field is found by its name
// (https://protobuf.dev/programming-guides/json/).
import type { DescField, DescMessage, DescOneof, Message } from "@bufbuild/protobuf";
import { interpretFirst } from "./code.js";
import { elementCost } from "./element-limit.js";
import { emptyMaker } from "./empty.js";
import {
  encodeName,
  expect,
  expectClose,
  isNullNext,
  readText,
  signs,
  take,
  takeName,
  type Word,
} from "./json-input.js";
import { compileReader, type MembersReader, type ReaderSupport } from "./json-read-code.js";
import { Fault, failTwice, memberSegment, within } from "./json-read-error.js";
import { extensionReader } from "./json-read-extensions.js";
import { type FieldPlan, interpretField } from "./json-read-fields.js";
import type { ValueReader } from "./json-read-scalar.js";
import { Seen } from "./json-read-seen.js";
import { rejectValue, skipValue } from "./json-read-skip.js";
import { checkDepth, spend, state } from "./json-read-state.js";
import type { Target } from "./values.js";

/** Plans the reading of a field. */
export type FieldPlanner = (field: DescField) => FieldPlan;

/** What reads a type: code, or its plan. */
interface Means {
  readonly create: () => Message;
  readMembers: MembersReader;
}

/** How messages are read that are objects of their fields. */
export interface Plan {
  readonly desc: DescMessage;
  readonly cost: number;
  readonly fields: FieldPlan[];
  /** The JSON names of the fields. */
  readonly names: Word[];
  /** Indexes of fields, by JSON name and by proto name. */
  readonly byName: Map<string, number>;
  readonly planField: FieldPlanner;
  compiled?: Means;
  interpreted?: Means;
}

function meansOf(plan: Plan): Means {
  if (state.settings.compiles) {
    plan.compiled ??= prepareCode(plan);
    return plan.compiled;
  }
  plan.interpreted ??= { create: emptyMaker(plan.desc, false), readMembers: interpretReader(plan) };
  return plan.interpreted;
}

function prepareCode(plan: Plan): Means {
  const { desc, fields } = plan;
  const compile = () => compileReader(desc, fields, support(plan));
  const means: Means = {
    create: emptyMaker(desc, true),
    readMembers: interpretFirst(interpretReader(plan), compile, (compiled) => {
      means.readMembers = compiled;
    }),
  };
  return means;
}

const plans = new WeakMap<DescMessage, Plan>();

/** Returns how messages of a type are read. */
export function planOf(desc: DescMessage, planField: FieldPlanner): Plan {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const plan: Plan = { desc, cost: elementCost(desc), fields: [], names: [], byName: new Map(), planField };
  // Before its fields are looked at, so that a type may contain itself.
  plans.set(desc, plan);
  desc.fields.forEach((field, index) => {
    plan.fields.push(planField(field));
    plan.names.push(encodeName(field.jsonName));
    plan.byName.set(field.name, index).set(field.jsonName, index);
  });
  return plan;
}

/**
 * Returns the reader of a message one level deeper than what has it.
 *
 * @param passedName a member that is passed over
 */
export function planReader(plan: Plan, passedName?: string): ValueReader {
  return (depth) => {
    checkDepth(depth + 1);
    spend(plan.cost);
    if (!take(signs.openObject)) rejectValue("an object");
    const { create, readMembers } = meansOf(plan);
    const message = create();
    if (take(signs.closeObject)) return message;
    readMembers(message as unknown as Target, depth + 1, passedName);
    expectClose(signs.closeObject);
    return message;
  };
}

/** What the code of a type calls. */
function support(plan: Plan): ReaderSupport {
  return {
    takeMember: (next) => takeMember(plan, next),
    readOther: (message, depth, passedName, names) => readOther(plan, message as never, depth, passedName, names),
    nameField: (reason, index) => nameField(plan, reason, index),
    failOneof: (message, index) => failOneof(plan, message, index),
  };
}

/** Returns what reads the members of an object by the plan of its type. */
function interpretReader(plan: Plan): MembersReader {
  const readers = plan.fields.map(interpretField);
  return (message, depth, passedName) => {
    const seen = new Seen();
    let names: Set<string> | undefined;
    let index = -1;
    let next = 0;
    try {
      do {
        // What is wrong with a name is no fault of the field before it.
        index = -1;
        index = takeMember(plan, next);
        if (index < 0) {
          names = readOther(plan, message as never, depth, passedName, names);
          continue;
        }
        next = index + 1;
        const { oneofIndex, isScalar } = plan.fields[index] as FieldPlan;
        if (!seen.add(index)) failTwice();
        if (oneofIndex >= 0 && !(isScalar && isNullNext()) && !seen.add(oneofIndex)) failOneof(plan, message, index);
        readers[index]?.(message, depth);
      } while (take(signs.comma));
    } catch (reason) {
      throw nameField(plan, reason, index);
    }
  };
}

/** The name of the last member that is no field. */
let otherName = "";

/**
 * Takes the name of a member.
 *
 * @param next the field that is expected
 * @returns the index of the field, or -1
 */
function takeMember({ names, byName }: Plan, next: number): number {
  const index = takeName(names, next);
  if (index >= 0) return index;
  const name = readText();
  expect(signs.colon);
  otherName = name;
  return byName.get(name) ?? -1;
}

function nameField({ desc }: Plan, reason: unknown, index: number): unknown {
  const field = desc.fields[index];
  return field === undefined ? reason : within(reason, memberSegment(field.name));
}

/** Refuses two members of a oneof. A scalar that is null is no member. */
function failOneof({ desc }: Plan, message: Target, index: number): never {
  const { name, localName } = (desc.fields[index] as DescField).oneof as DescOneof;
  const present = (message as Record<string, { case?: string }>)[localName]?.case;
  const other = desc.fields.find((field) => field.localName === present);
  throw new Fault(`${other?.name ?? "another field"} is set already, of the same oneof ${name}`);
}

/** Reads a member that is no field: an extension, or something that is passed over. Returns the names that may come once. */
function readOther(
  { desc, planField }: Plan,
  message: Message,
  depth: number,
  passedName: string | undefined,
  seen: Set<string> | undefined,
): Set<string> | undefined {
  const name = otherName;
  const isPassed = name === passedName;
  const extension = isPassed ? undefined : extensionReader(desc, name, planField);
  try {
    if (!isPassed && extension === undefined) {
      if (!state.settings.ignoreUnknownFields) throw new Fault(`${desc.typeName} has no such field`);
      skipValue();
      return seen;
    }
    if (seen?.has(name)) failTwice();
    if (extension === undefined) skipValue();
    else extension(message, depth);
    return (seen ?? new Set()).add(name);
  } catch (reason) {
    throw within(reason, memberSegment(name));
  }
}
