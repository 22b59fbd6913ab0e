// Reads messages whose JSON is an object of their fields: each field is found by its name
// (https://protobuf.dev/programming-guides/json/).
import type { DescField, DescMessage, DescOneof, Message } from "@bufbuild/protobuf";
import { elementCost } from "./element-limit.js";
import { emptyMaker } from "./empty.js";
import { expect, expectClose, isNullNext, readText, signs, take, takeAll } from "./json-input.js";
import { compileReader, type IndexedReader } from "./json-read-code.js";
import { Fault, memberSegment, within } from "./json-read-error.js";
import { extensionReader } from "./json-read-extensions.js";
import { type FieldPlan, interpretField } from "./json-read-fields.js";
import type { ValueReader } from "./json-read-scalar.js";
import { Seen } from "./json-read-seen.js";
import { rejectValue, skipValue } from "./json-read-skip.js";
import { checkDepth, spend, state } from "./json-read-state.js";
import type { Target } from "./values.js";

/** Plans the reading of a field. */
export type FieldPlanner = (field: DescField) => FieldPlan;

/** A field, and its place among those of its type. */
interface Field {
  readonly index: number;
  /** Its oneof, as an index after those of fields; -1 if it has none. */
  readonly oneofIndex: number;
  readonly desc: DescField;
  /** Its name as it is written, with quotes. */
  readonly name: Uint8Array;
  /** Its place in the path of an error. */
  readonly segment: string;
  readonly plan: FieldPlan;
}

/** What reads a type: code, or its plan. */
interface Means {
  readonly create: () => Message;
  readonly readField: IndexedReader;
}

/** How messages are read that are objects of their fields. */
export interface Plan {
  readonly desc: DescMessage;
  readonly cost: number;
  readonly fields: Field[];
  /** By JSON name and by proto name. */
  readonly byName: Map<string, Field>;
  readonly planField: FieldPlanner;
  compiled?: Means;
  interpreted?: Means;
}

function meansOf(plan: Plan): Means {
  if (state.settings.compiles) {
    plan.compiled ??= compile(plan);
    return plan.compiled;
  }
  plan.interpreted ??= interpret(plan);
  return plan.interpreted;
}

function compile({ desc, fields }: Plan): Means {
  const readField = compileReader(
    desc,
    fields.map(({ plan }) => plan),
  );
  return { create: emptyMaker(desc, true), readField };
}

function interpret({ desc, fields }: Plan): Means {
  const readers = fields.map(({ plan }) => interpretField(plan));
  return {
    create: emptyMaker(desc, false),
    readField: (index, message, depth) => readers[index]?.(message, depth),
  };
}

const utf8 = new TextEncoder();

/** Trying more fields would take longer than looking the name up. */
const maxTried = 8;

const plans = new WeakMap<DescMessage, Plan>();

/** Returns how messages of a type are read. */
export function planOf(desc: DescMessage, planField: FieldPlanner): Plan {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const plan: Plan = { desc, cost: elementCost(desc), fields: [], byName: new Map(), planField };
  // Before its fields are looked at, so that a type may contain itself.
  plans.set(desc, plan);
  desc.fields.forEach((field, index) => {
    const planned = placeField(field, index, planField(field));
    plan.fields.push(planned);
    plan.byName.set(field.name, planned).set(field.jsonName, planned);
  });
  return plan;
}

function placeField(desc: DescField, index: number, plan: FieldPlan): Field {
  const { parent, oneof, jsonName, name } = desc;
  return {
    index,
    oneofIndex: oneof === undefined ? -1 : parent.fields.length + parent.oneofs.indexOf(oneof),
    desc,
    name: utf8.encode(JSON.stringify(jsonName)),
    segment: memberSegment(name),
    plan,
  };
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
    const { create, readField } = meansOf(plan);
    const message = create();
    if (!take(signs.closeObject)) readMembers(plan, readField, message, depth + 1, passedName);
    return message;
  };
}

function readMembers(
  plan: Plan,
  readField: IndexedReader,
  message: Message,
  depth: number,
  passedName: string | undefined,
): void {
  const seen = new Seen();
  let next = 0;
  let field: Field | undefined;
  try {
    do {
      field = takeName(plan, next);
      if (field === undefined) {
        const name = readText();
        field = plan.byName.get(name);
        if (field === undefined) {
          expect(signs.colon);
          readOther(plan, message, depth, name, name === passedName, seen);
          continue;
        }
      }
      next = field.index + 1;
      expect(signs.colon);
      checkRepetition(field, seen, message);
      readField(field.index, message as unknown as Target, depth);
    } while (take(signs.comma));
  } catch (reason) {
    throw field === undefined ? reason : within(reason, field.segment);
  }
  expectClose(signs.closeObject);
}

/** Fields mostly come in the order of their type, so those that may be next are tried first. */
function takeName({ fields }: Plan, next: number): Field | undefined {
  const end = Math.min(next + maxTried, fields.length);
  for (let index = next; index < end; index++) {
    const field = fields[index] as Field;
    if (takeAll(field.name)) return field;
  }
  return undefined;
}

/** Refuses a field under both of its names, and two members of a oneof. A scalar that is null is no member. */
function checkRepetition({ index, oneofIndex, desc }: Field, seen: Seen, message: Message): void {
  if (!seen.add(index)) throw new Fault("is set twice");
  if (oneofIndex < 0 || (desc.scalar !== undefined && isNullNext()) || seen.add(oneofIndex)) return;
  const { name, localName } = desc.oneof as DescOneof;
  const present = (message as unknown as Record<string, { case?: string }>)[localName]?.case;
  const other = desc.parent.fields.find((field) => field.localName === present);
  throw new Fault(`${other?.name ?? "another field"} is set already, of the same oneof ${name}`);
}

/** Reads a member that is no field: an extension, or something that is passed over. */
function readOther(
  { desc, planField }: Plan,
  message: Message,
  depth: number,
  name: string,
  isPassed: boolean,
  seen: Seen,
): void {
  const extension = isPassed ? undefined : extensionReader(desc, name, planField);
  try {
    if ((isPassed || extension !== undefined) && !seen.addName(name)) throw new Fault("is set twice");
    if (extension !== undefined) extension(message, depth);
    else if (isPassed || state.settings.ignoreUnknownFields) skipValue();
    else throw new Fault(`${desc.typeName} has no such field`);
  } catch (reason) {
    throw within(reason, memberSegment(name));
  }
}
