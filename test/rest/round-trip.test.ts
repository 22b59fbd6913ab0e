import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Binding } from "../../server/rest/binding.js";
import { createRequestDecoder } from "../../server/rest/decode.js";
import { createRequestEncoder, type EncodedRequest } from "../../server/rest/encode.js";
import { isNested } from "../../server/rest/fields.js";
import { leafOf } from "../../server/rest/leaf.js";
import { createPlace, type Place } from "../../server/rest/place.js";
import { createRouting } from "../../server/rest/routing.js";
import { parseTarget } from "../../server/rest/target.js";
import { RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";
import { type FieldFilter, fieldValueOf, messageOf } from "./arbitrary.js";
import { bindings, registry } from "./support.js";

const numRuns = Math.ceil(Number(process.env.REST_CASES ?? 4_000) / bindings.length);
const { routes } = createRouting([RestService]);

/** JSON is written into plain objects, where a field of this name in JSON is lost: a limit of protobuf-es. */
const isWritable: FieldFilter = ({ jsonName }) => jsonName !== "__proto__";
const isQueryable: FieldFilter = (field) => leafOf(field) !== undefined || isNested(field);

/** What a binding may be able to carry: in the query only what has text. */
function filterOf({ method, requestBody }: Binding): FieldFilter {
  if (requestBody.kind === "none") return isQueryable;
  const { field: body } = requestBody;
  return (field) => {
    const isInBody = body === undefined || body === field || field.parent !== method.input;
    return isWritable(field) && (isInBody || isQueryable(field));
  };
}

/** Text that a variable's pattern is likely to match, or else a value of its field. */
function variableOf({ template, variables }: Binding, index: number): fc.Arbitrary<unknown> {
  const field = variables[index]?.fields.at(-1);
  const { start, end } = template.variables[index] ?? {};
  const pattern = template.segments.slice(start, end);
  if (field === undefined) throw new Error("there is no such variable");
  if (pattern.length === 1 && pattern[0]?.kind === "single") return fieldValueOf(field, () => true, 1);
  const text = fc.stringMatching(/^[a-z/%:. é]{1,4}$/);
  return fc
    .tuple(...pattern.map((segment) => (segment.kind === "literal" ? fc.constant(segment.text) : text)))
    .map((parts) => parts.join("/"));
}

/** The message that has the field, made if it is not there, whatever else its oneof has. */
function parentIn(root: ReflectMessage, { parents }: Place): ReflectMessage {
  return parents.reduce((message, field) => {
    if (!message.isSet(field)) message.set(field, reflect(field.message));
    return message.get(field);
  }, root);
}

/** Messages with a value for each variable. */
function sendable(binding: Binding): fc.Arbitrary<Message> {
  const { input } = binding.method;
  const values = binding.variables.map((_, index) => variableOf(binding, index));
  return fc.tuple(messageOf(input, filterOf(binding)), ...values).map(([message, ...all]) => {
    const root = reflect(input, message);
    binding.variables.forEach(({ fields }, index) => {
      const place = createPlace(fields);
      if (place !== undefined) parentIn(root, place).set(place.field, all[index]);
    });
    return message;
  });
}

function tryEncode(binding: Binding, message: Message): EncodedRequest | undefined {
  try {
    return createRequestEncoder([binding], { registry })(message);
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.InvalidArgument) return undefined;
    throw error;
  }
}

/** What a server makes of a request: first the route, then the message. */
function receive({ httpMethod, path, query, body }: EncodedRequest): { binding: Binding; message: Message } {
  const target = parseTarget(query === "" ? path : `${path}?${query}`);
  const found = routes.find(httpMethod, target.path);
  if (found.kind !== "found") throw new Error(`${httpMethod} ${path}: ${found.kind}`);
  const bytes =
    body.kind === "json" ? new TextEncoder().encode(body.text) : body.kind === "bytes" ? body.data : undefined;
  const contentType = body.kind === "bytes" ? body.contentType : undefined;
  const options = { registry, ignoreUnknownFields: false };
  const message = createRequestDecoder(
    found.binding,
    options,
  )({
    captures: found.captures,
    query: target.query,
    contentType,
    body: bytes ?? new Uint8Array(),
  });
  return { binding: found.binding, message };
}

/** A message as bytes: NaN equals itself there, and presence counts. */
function bytesOf(desc: DescMessage, message: Message): string {
  return Buffer.from(toBinary(desc, message)).toString("hex");
}

describe("what is sent by a route is found by that route, and is the same message", () => {
  const carried = new Map<string, number>();

  test.each(bindings.map((binding) => [binding.label, binding] as const))("%s", (label, binding) => {
    const { input } = binding.method;
    let count = 0;
    fc.assert(
      fc.property(sendable(binding), (message) => {
        const before = bytesOf(input, message);
        const request = tryEncode(binding, message);
        expect(bytesOf(input, message)).toBe(before);
        if (request === undefined) return;
        count += 1;
        const received = receive(request);
        expect(received.binding.label).toBe(label);
        expect(bytesOf(input, received.message)).toBe(before);
      }),
      { numRuns, endOnFailure: true },
    );
    carried.set(label, count / numRuns);
  });

  afterAll(() => {
    if (process.env.REST_CASES !== undefined) process.stdout.write(`${JSON.stringify([...carried], null, 1)}\n`);
  });
});
