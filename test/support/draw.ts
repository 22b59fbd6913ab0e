// Random values that the schemas of a document allow, and random requests that its operations do.
import fc from "fast-check";
import type { OpenApiDocument, Operation, Parameter, Schema } from "../../server/openapi/types.js";

/** An operation with its place. */
export interface Place {
  readonly httpMethod: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Every operation of a document, those of methods that OpenAPI has no name for among them. */
export function listOperations({ paths }: OpenApiDocument): Place[] {
  return Object.entries(paths).flatMap(([path, { "x-additionalOperations": more, ...item }]) =>
    Object.entries({ ...item, ...more }).map(([method, operation]) => ({
      httpMethod: method.toUpperCase(),
      path,
      operation: operation as Operation,
    })),
  );
}

/** What is sent. Values are as the schemas have them. */
export interface Drawn {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** The schema that a reference stands for, with what stands beside it. */
export function resolve(document: OpenApiDocument, schema: Schema): Schema {
  const { $ref, ...beside } = schema;
  if (typeof $ref !== "string") return schema;
  const name = $ref.replace("#/components/schemas/", "");
  return { ...resolve(document, document.components.schemas?.[name] as Schema), ...beside };
}

export const jsonBody = ({ requestBody }: Operation): Schema | undefined =>
  requestBody?.content["application/json"]?.schema;

export const parametersOf = ({ parameters = [] }: Operation, place: Parameter["in"]): Parameter[] =>
  (parameters as readonly Parameter[]).filter((parameter) => parameter.in === place);

/** Requests that an operation allows. */
export function requestOf(document: OpenApiDocument, { operation }: Place): fc.Arbitrary<Drawn> {
  const draw = new Draw(document);
  const body = jsonBody(operation);
  return fc.record({
    path: draw.parameters(parametersOf(operation, "path")),
    query: draw.parameters(parametersOf(operation, "query")).map((query) => dropRivals(operation, query)),
    body: body === undefined ? fc.constant(undefined) : draw.value(body, 3),
  });
}

/** Of parameters that exclude each other, which their descriptions say, the first is kept. */
function dropRivals(operation: Operation, query: Record<string, unknown>): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  for (const { name, description = "" } of parametersOf(operation, "query")) {
    const rivals = [...(/Not together with (.*)\./.exec(description)?.[1]?.matchAll(/`([^`]+)`/g) ?? [])].map(
      ([, one]) => one,
    );
    const isRival = kept.some(([other]) => rivals.some((rival) => other === rival || other.startsWith(`${rival}.`)));
    if (name in query && !isRival) kept.push([name, query[name]]);
  }
  return Object.fromEntries(kept);
}

/** No NUL, which no URL can carry, and no steps, which some clients take. */
const isFitForUrl = (text: unknown) => text !== "." && text !== ".." && !String(text).includes("\0");

class Draw {
  readonly #document: OpenApiDocument;

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  parameters(parameters: readonly Parameter[]): fc.Arbitrary<Record<string, unknown>> {
    const entries = parameters.map(({ name, required, schema = {} }) => {
      const value = this.value(schema, 2).filter(isFitForUrl);
      return this.#entry(name, value, required === true, 5);
    });
    return fc.tuple(...entries).map((all) => Object.fromEntries(all.flat(1)));
  }

  value(given: Schema, depth: number): fc.Arbitrary<unknown> {
    const schema = resolve(this.#document, given);
    const { anyOf, ...rest } = schema;
    if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((one) => this.value({ ...rest, ...one }, depth)));
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
    if (schema.type === "object" || schema.allOf !== undefined) return this.#object(schema, depth);
    if (schema.type === "array") return this.#array(schema, depth);
    if (schema.contentMediaType === "application/json") {
      return this.value(schema.contentSchema as Schema, depth).map((json) => JSON.stringify(json));
    }
    if (schema.type === "string") return text(schema);
    if (schema.type === "integer") return fc.integer({ min: Number(schema.minimum), max: Number(schema.maximum) });
    if (schema.type === "number") return number(schema);
    if (schema.type === "boolean") return fc.boolean();
    return schema.type === "null" ? fc.constant(null) : anyJson;
  }

  #array({ items }: Schema, depth: number): fc.Arbitrary<unknown> {
    return depth <= 0 ? fc.constant([]) : fc.array(this.value(items as Schema, depth - 1), { maxLength: 3 });
  }

  #object(given: Schema, depth: number): fc.Arbitrary<unknown> {
    const schema = this.#merge(given);
    if (schema.maxProperties === 0) return fc.constant({});
    if (schema.properties === undefined) return this.#map(schema, depth);
    if (isOpenAny(schema)) return fc.constantFrom(...anyMessages);
    const required = (schema.required ?? []) as string[];
    const choices = schema.choices as string[][];
    const isFree = ([name, one]: [string, Schema]) =>
      !choices.flat().includes(name) && JSON.stringify(one.not) !== "{}" && (depth > 0 || required.includes(name));
    const properties = Object.entries(schema.properties as Record<string, Schema>);
    const free = properties.filter(isFree).map(([name, one]) => {
      return this.#entry(name, this.value(one, depth - 1), required.includes(name), 2);
    });
    const chosen = choices.map((names) =>
      depth <= 0
        ? fc.constant([])
        : fc.constantFrom(...names).chain((name) => {
            const [, one = {}] = properties.find(([other]) => other === name) ?? [];
            return this.#entry(name, this.value(one, depth - 1), false, 1);
          }),
    );
    return fc.tuple(...free, ...chosen).map((all) => Object.fromEntries(all.flat(1)));
  }

  /** An object with those of its parts: the names of each oneof in `choices`, and the rest as it is. */
  #merge(given: Schema): Schema {
    const { allOf = [], not, ...own } = resolve(this.#document, given) as Record<string, never> & Schema;
    const parts = [
      { ...own, choices: choicesOf(not as Schema | undefined) },
      ...(allOf as Schema[]).map((part) => this.#merge(part)),
    ];
    const properties = parts.flatMap((part) => Object.entries((part.properties ?? {}) as object));
    return {
      ...Object.fromEntries(parts.flatMap((part) => Object.entries(part))),
      ...(parts.some((part) => part.properties !== undefined) ? { properties: Object.fromEntries(properties) } : {}),
      required: parts.flatMap((part: Schema) => (part.required ?? []) as string[]),
      choices: parts.flatMap((part) => part.choices as string[][]),
    };
  }

  #map({ additionalProperties, propertyNames }: Schema, depth: number): fc.Arbitrary<unknown> {
    if (additionalProperties === true) return fc.dictionary(anyText, anyJson, { maxKeys: 3 }).map(withoutPrototype);
    if (additionalProperties === undefined || depth <= 0) return fc.constant({});
    const { enum: keys, format } = (propertyNames ?? {}) as Schema;
    const key = Array.isArray(keys) ? fc.constantFrom(...keys) : format === undefined ? anyText : fc.nat().map(String);
    const value = this.value(additionalProperties as Schema, depth - 1);
    return fc.dictionary(key, value, { maxKeys: 3 }).map(withoutPrototype);
  }

  /** One property or none; how rarely it is left out is up to `frequency`. */
  #entry(name: string, value: fc.Arbitrary<unknown>, isRequired: boolean, rarity: number) {
    const entry = value.map((one): [string, unknown][] => [[name, one]]);
    return isRequired
      ? entry
      : fc.oneof({ weight: 1, arbitrary: entry }, { weight: rarity, arbitrary: fc.constant([]) });
  }
}

/** The names of which at most one may be there: those of each oneof. */
export function choicesOf(not: Schema | undefined): string[][] {
  const cases = (not?.anyOf ?? (not === undefined ? [] : [not])) as { required?: string[]; not?: Schema }[];
  const groups: string[][] = [];
  for (const { required = [], not: either } of cases) {
    const listed = ((either?.oneOf ?? []) as { required?: string[] }[]).flatMap((one) => one.required ?? []);
    const names = required.length > 1 ? required : listed;
    const group = groups.find((one) => names.some((name) => one.includes(name)));
    if (group === undefined && names.length > 0) groups.push([...names]);
    else group?.push(...names.filter((name) => !group.includes(name)));
  }
  return groups;
}

/** A document does not list the types that a google.protobuf.Any may have. */
function isOpenAny({ properties, additionalProperties }: Schema): boolean {
  const { "@type": type } = properties as Record<string, Schema>;
  return type !== undefined && type.const === undefined && additionalProperties === true;
}

const anyMessages = [{}, { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.500s" }];

const anyText = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: "grapheme", maxLength: 5 }),
  fc.constantFrom("a/b", "a:b", "%2F", "a b+c", "{}", "#?&="),
);
const anyJson = fc.jsonValue({ maxDepth: 2 }).map(withoutPrototype);

/** That key of a map cannot be kept, and is refused. */
function withoutPrototype(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (_, value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([key]) => key !== "__proto__"))
      : value,
  );
}

function number({ format }: Schema): fc.Arbitrary<number> {
  const finite = { noNaN: true, noDefaultInfinity: true };
  return format === "float" ? fc.float(finite) : fc.double(finite);
}

const camelName = fc.stringMatching(/^[a-z]{1,3}(?:[A-Z][a-z]{1,3}){0,2}$/);

function text({ format, pattern, minLength = 0 }: Schema): fc.Arbitrary<string> {
  const formats: Record<string, fc.Arbitrary<string>> = {
    int64: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
    uint64: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
    byte: fc
      .uint8Array({ minLength: Number(minLength), maxLength: 5 })
      .map((bytes) => Buffer.from(bytes).toString("base64")),
    "date-time": fc
      .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
      .map((date) => date.toISOString()),
    "duration-seconds": fc
      .tuple(fc.integer(), fc.nat(999_999_999))
      .map(([seconds, nanos]) => `${seconds}.${String(nanos).padStart(9, "0")}s`),
  };
  const formatted = formats[String(format)];
  if (formatted !== undefined) return formatted;
  // The pattern allows more names than have a snake-case form to come back from.
  if (pattern !== undefined) return fc.array(camelName, { minLength: 1, maxLength: 2 }).map((names) => names.join(","));
  return anyText.filter((any) => any.length >= Number(minLength));
}

/** A drawn request as it is sent. */
export function toTarget({ path }: Place, drawn: Drawn): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(printText(drawn.path[name])));
  const pairs = Object.entries(drawn.query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (one) => `${encodeURIComponent(name)}=${encodeURIComponent(printText(one))}`,
    ),
  );
  return pairs.length === 0 ? filled : `${filled}?${pairs.join("&")}`;
}

function printText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
