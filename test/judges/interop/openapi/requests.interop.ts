// Random requests: what a document allows is not refused as malformed, what it forbids is, and what comes back is as it says.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../../../server/index.js";
import type { OpenApiDocument, Operation, Parameter, Schema } from "../../../../server/openapi/types.js";
import {
  choicesOf,
  type Drawn,
  jsonBody,
  listOperations,
  type Place,
  parametersOf,
  requestOf,
  resolve,
  toTarget,
} from "../../../support/draw.js";
import { type Connection, openConnection, type RawAnswer } from "../../../support/http.js";
import { createCheck } from "./checker.js";
import { serverNames, serverOf } from "./documents.js";
import { type Mutant, mutantsOf } from "./mutate.js";
import { isLenientText, readText, strangeTexts } from "./parameters.js";

const parameters = { numRuns: 30, seed: 20_240_229 };

/** Sends a drawn request. */
function send(connection: Connection, place: Place, drawn: Drawn): Promise<RawAnswer> {
  const body = drawn.body === undefined ? {} : { body: JSON.stringify(drawn.body) };
  const headers = drawn.body === undefined ? {} : { "content-type": "application/json" };
  return connection.request({ method: place.httpMethod, path: toTarget(place, drawn), headers, ...body });
}

/** The schema of JSON that comes back with a status; undefined if something else does. */
function replySchema({ responses }: Operation, status: number): Schema | undefined {
  const response = responses[String(status)] ?? responses.default;
  return response === undefined || !("content" in response)
    ? undefined
    : response.content?.["application/json"]?.schema;
}

describe.each(serverNames)("%s", (name) => {
  const server: Server = serverOf(name);
  const document: OpenApiDocument = server.openApi();
  const check = createCheck(document);
  let connection: Connection;
  beforeAll(async () => {
    await server.listen();
    connection = openConnection(server.url, "2");
  });
  afterAll(async () => {
    await connection[Symbol.asyncDispose]();
    await server.close();
  });

  const places = listOperations(document).map((place) => [place.operation.operationId, place] as const);

  it.each(places)("accepts valid requests, and responds as documented: %s", async (_, place) => {
    await fc.assert(
      fc.asyncProperty(requestOf(document, place), async (drawn) => {
        const { status, text } = await send(connection, place, drawn);
        // Health checks know the services of the server only.
        expect([200, 404], `${JSON.stringify(drawn)} ${text}`).toContain(status);
        const schema = replySchema(place.operation, status);
        const isAnswer = schema === undefined ? undefined : check(schema, JSON.parse(text));
        expect(isAnswer, `${JSON.stringify(drawn)} ${text}`).toBeUndefined();
      }),
      parameters,
    );
  });

  // Any JSON is the JSON of a google.protobuf.Value.
  const isAny = (schema: Schema) => check(schema, []) === undefined && check(schema, {}) === undefined;
  const bodied = places.filter(([, { operation }]) => !isAny(jsonBody(operation) ?? {}));

  it.each(bodied)("refuses a body that is forbidden: %s", async (_, place) => {
    const schema = jsonBody(place.operation) as Schema;
    const drawn = requestOf(document, place).chain((request) =>
      mutantsOf(document, schema, request.body).map((mutant): [Drawn, Mutant] => [
        { ...request, body: mutant.json },
        mutant,
      ]),
    );
    await fc.assert(
      fc.asyncProperty(drawn, async ([request, { isLenient }]) => {
        const fault = check(schema, request.body);
        // Fields that have to be there are the contract; to hold callers to it is for handlers and interceptors.
        fc.pre(!isLenient && fault !== undefined && !fault.includes("must have required property"));
        const { status, text } = await send(connection, place, request);
        expect([status, text.slice(0, 300)], JSON.stringify(request.body)).toEqual([400, expect.anything()]);
        expect(check(replySchema(place.operation, status) as Schema, JSON.parse(text))).toBeUndefined();
      }),
      { ...parameters, maxSkipsPerRun: 1000 },
    );
  });

  // Bodies of one JSON value with a oneof, for each of which two members are drawn.
  const rivals = places.flatMap(([id, place]) => {
    const schema = jsonBody(place.operation);
    const object = schema === undefined ? {} : resolve(document, schema);
    return choicesOf(object.not as Schema | undefined).map((names) => [id, names.slice(0, 2), place] as const);
  });

  it.each(rivals)("forbids two members of a oneof, as the server does: %s %j", async (_, names, place) => {
    const schema = jsonBody(place.operation) as Schema;
    const properties = resolve(document, schema).properties as Record<string, Schema>;
    const [drawn] = fc.sample(requestOf(document, place), { numRuns: 1, seed: 3 });
    const members = names.map((name) => [name, exampleOf(properties[name] ?? {})] as const);
    const body = Object.fromEntries([...Object.entries(drawn?.body as object), ...members]);
    expect(check(schema, body)).toContain("must NOT be valid");
    const { status } = await send(connection, place, { ...(drawn as Drawn), body });
    expect(status).toBe(400);
  });

  /** A value that differs from what is left out. */
  const exampleOf = (schema: Schema) => {
    const { example, type, enum: names } = resolve(document, schema);
    if (Array.isArray(names)) return names[1];
    if (example !== undefined) return example;
    return type === "object" ? {} : type === "boolean" ? true : type === "string" ? "a" : 1;
  };

  const given = ({ operation }: Place) =>
    [...parametersOf(operation, "path"), ...parametersOf(operation, "query")].filter(isTyped);
  /** Whether an invalid text exists. */
  function isTyped({ schema = {} }: Parameter): boolean {
    return strangeTexts.some((text) => check(schema, readText(document, schema, text)) !== undefined);
  }
  // Those of Connect's GET are of the protocol, which has other responses: 415 for an encoding, none for a version.
  const parametrized = places.filter(([id, place]) => given(place).length > 0 && !id.endsWith("_ConnectGet"));

  /** The parameters that must be there, without which others would not be looked at. */
  const needed = ({ operation }: Place, { query }: Drawn) =>
    Object.fromEntries(
      parametersOf(operation, "query").flatMap(({ name, required }) => (required ? [[name, query[name]]] : [])),
    );

  it.each(parametrized)("refuses a parameter that is forbidden: %s", async (_, place) => {
    const drawn = fc.tuple(
      requestOf(document, place),
      fc.constantFrom(...given(place)),
      fc.constantFrom(...strangeTexts),
    );
    await fc.assert(
      fc.asyncProperty(drawn, async ([request, { name, in: where, schema = {} }, text]) => {
        fc.pre(!isLenientText(document, schema, text));
        fc.pre(check(schema, readText(document, schema, text)) !== undefined);
        // A stream without requests has none for a query to be part of.
        fc.pre(!Array.isArray(request.body) || request.body.length > 0);
        const changed =
          where === "path"
            ? { path: { ...request.path, [name]: text } }
            : { query: { ...needed(place, request), [name]: text } };
        const { status } = await send(connection, place, { ...request, ...changed });
        expect([name, text, status]).toEqual([name, text, 400]);
      }),
      { ...parameters, maxSkipsPerRun: 1000 },
    );
  });
});
