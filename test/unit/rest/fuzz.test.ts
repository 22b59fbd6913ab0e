import { type Message, toJsonString } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { codeToStatus } from "../../../server/rest/error/status.js";
import { checkPath, decodePercent, decodeSegments } from "../../../server/rest/percent.js";
import { createPlace } from "../../../server/rest/read/place.js";
import { createRequestDecoder, type RequestDecoder } from "../../../server/rest/read/request.js";
import type { Binding } from "../../../server/rest/route/binding.js";
import { printTemplate } from "../../../server/rest/route/template.js";
import { printerOf } from "../../../server/rest/write/print.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { messageOf } from "../../support/arbitrary-message.js";
import { registry } from "../../support/rest-bindings.js";
import { routesOf } from "../../support/routing.js";
import { splitTarget } from "../../support/target.js";

const numRuns = Math.ceil(Number(process.env.REST_CASES ?? 3_000));
const { routes, bindings } = routesOf([RestService]);
const decoders = new Map<Binding, RequestDecoder>(
  bindings.map((binding) => [binding, createRequestDecoder(binding, { registry })]),
);
const outcomes = new Map<string, number>();

const strangers = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."/%:.=&?+{}*$~\\\"'0a2Ff;,#@!é\u00ff€ \t\0") }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("%2F", "%2f", "%00", "%ff", "%", "%e2%82%ac", "..", ".", "", "__proto__", "constructor", "prototype"),
);
const scalar = fc.oneof(
  fc.constantFrom(
    "1",
    "-1",
    "0",
    "true",
    "NaN",
    "1.5",
    "COLOR_RED",
    "1970-01-01T00:00:01Z",
    "1s",
    "a,b",
    "AA",
    "operations",
  ),
  strangers,
);

function fill(template: string): fc.Arbitrary<string> {
  const pattern = template.replace(/\{[\w.]+=?([^}]*)\}/g, (_, inner: string) => inner || "*");
  const pieces = pattern.split(/(\*+)/);
  return fc
    .tuple(...pieces.map((piece, index) => (index % 2 === 1 ? scalar : fc.constant(piece))))
    .map((parts) => parts.join(""));
}

/** Names of fields, of their neighbours, and of what is none. */
const name = fc.oneof(
  fc
    .array(fc.constantFrom(...namesOf(), "__proto__", "constructor", "toString", "x", ""), {
      minLength: 1,
      maxLength: 3,
    })
    .map((names) => names.join(".")),
  strangers,
);

function namesOf(): string[] {
  const messages = [RestService.method.query.input, RestService.method.file.input];
  const nested = messages.flatMap(({ fields }) => fields.flatMap((field) => field.message?.fields ?? []));
  return [...messages.flatMap(({ fields }) => fields), ...nested].flatMap(({ name: own, jsonName }) => [own, jsonName]);
}

const query = fc
  .array(fc.tuple(name, fc.constantFrom("=", "", "=="), scalar), { maxLength: 4 })
  .map((pairs) => pairs.map((pair) => pair.join("")).join("&"));

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc
      .array(
        fc.tuple(
          name.map((path) => path.split(".")[0] ?? ""),
          tie("value"),
        ),
        { maxLength: 4 },
      )
      .map(toObject),
  ),
})).value;

/** Keys as JSON.parse has them: `__proto__` is one like others. */
function toObject(entries: [string, unknown][]): object {
  return JSON.parse(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`);
}

const encoder = new TextEncoder();
const body = fc.oneof(
  { weight: 4, arbitrary: json.map((any) => encoder.encode(JSON.stringify(any))) },
  { weight: 1, arbitrary: fc.uint8Array() },
  { weight: 1, arbitrary: fc.constant(new Uint8Array()) },
);

/** A body that fits the request's type, unless the type of an HttpBody has no JSON. */
function fitting({ method: { input } }: Binding): fc.Arbitrary<Uint8Array> {
  return messageOf(input, undefined, 3).map((message) => encoder.encode(toJsonString(input, message, { registry })));
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array;
}

/** Requests of a route, with anything for its wildcards. */
const routed: fc.Arbitrary<Sent> = fc.constantFrom(...bindings).chain((binding) =>
  fc.record({
    method: fc.constant(binding.httpMethod),
    path: fill(printTemplate(binding.template)),
    query: fc.oneof(fc.constant(""), query),
    body: fc.oneof(fitting(binding), fitting(binding), body),
  }),
);
const anything: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "PURGE", "OPTIONS", "BREW"),
  path: fc.oneof(
    fc.constantFrom(...bindings.map(({ template }) => printTemplate(template))).chain(fill),
    fc.array(strangers, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
  ),
  query: fc.oneof(query, strangers),
  body,
});
const request = fc.oneof({ weight: 3, arbitrary: routed }, { weight: 1, arbitrary: anything });

/** What becomes of a request: its message, or the reason why there is none. */
function run(sent: Sent): string {
  try {
    const { path, query = "" } = splitTarget(`${sent.path}${sent.query === "" ? "" : `?${sent.query}`}`);
    checkPath(path);
    const found = routes.find(sent.method, path);
    if (found.kind !== "found") return found.kind;
    const { binding, captures } = found;
    const message = decoders.get(binding)?.({ captures, query, contentType: "a/b", body: sent.body });
    if (message === undefined) throw new Error("there is no decoder");
    checkCaptures(binding, captures, message);
    checkPrototypes(reflect(binding.method.input, message));
    return "message";
  } catch (error) {
    if (!(error instanceof ConnectError) || codeToStatus(error.code) >= 500) throw error;
    return `error ${codeToStatus(error.code)}`;
  }
}

/** Every field that the path binds has the value of the path. */
function checkCaptures(binding: Binding, captures: readonly string[], message: Message): void {
  binding.variables.forEach(({ fields, isMultiSegment }, index) => {
    const place = createPlace(fields);
    if (place === undefined) throw new Error("a variable has no text");
    const raw = captures[index] ?? "";
    const text = isMultiSegment ? decodeSegments(raw, "slash") : (decodePercent(raw) ?? "");
    const parent = place.parents.reduce((at, field) => at.get(field), reflect(binding.method.input, message));
    const print = printerOf(place.field);
    expect(print?.(parent.get(place.field))).toBe(print?.(place.leaf.parse(text)));
  });
}

/** Every map is an ordinary object. */
function checkPrototypes(message: ReflectMessage): void {
  for (const value of Object.values(message.message) as unknown[]) {
    const isPlain = typeof value === "object" && value !== null && !("$typeName" in value);
    if (isPlain && !Array.isArray(value) && !(value instanceof Uint8Array)) {
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  }
  for (const field of message.fields) {
    const value = message.isSet(field) ? message.get(field) : undefined;
    if (isReflectMessage(value)) checkPrototypes(value);
  }
}

test("any request becomes a message that keeps what its path says, or an error of the client's", () => {
  const globals = Object.getOwnPropertyNames(Object.prototype).join();
  fc.assert(
    fc.property(request, (sent) => {
      const outcome = run(sent);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
    { numRuns },
  );
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(globals);
  expect([...outcomes.keys()].sort()).toEqual(["error 400", "message", "no-path", "wrong-method"]);
}, 600_000);

afterAll(() => {
  if (process.env.REST_CASES !== undefined) process.stdout.write(`${JSON.stringify([...outcomes])}\n`);
});
