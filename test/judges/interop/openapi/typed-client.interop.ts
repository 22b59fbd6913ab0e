// Types that openapi-typescript makes of the document compile, and openapi-fetch calls every unary method with them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../../../server/index.js";
import type { Operation, Schema } from "../../../../server/openapi/types.js";
import { type Drawn, jsonBody, listOperations, type Place, requestOf } from "../../../support/draw.js";
import { outputOf } from "../../../support/program.js";
import { createCheck } from "./checker.js";
import { serverNames, serverOf } from "./documents.js";
import { importJudge, judges } from "./tools.js";

/** OpenAPI has no place for other HTTP methods, and the client no name for them. */
const isCallable = ({ httpMethod, operation }: Place) =>
  ["GET", "PUT", "POST", "DELETE", "PATCH"].includes(httpMethod) && isJson(operation);

/** Streams of lines and bytes are no JSON. */
const isJson = ({ requestBody, responses }: Operation) =>
  (requestBody === undefined || "application/json" in requestBody.content) &&
  "application/json" in ((responses["200"] as { content?: object }).content ?? {});

/** A program that makes one call for each operation, and prints what came back. */
function programOf(calls: readonly (readonly [Place, Drawn])[], url: string): string {
  const lines = calls.map(([place, drawn]) => {
    const { httpMethod, path, operation } = place;
    const call = `client.${httpMethod}(${JSON.stringify(path)}, ${printLiteral(optionsOf(place, drawn))})`;
    return `await report(${JSON.stringify(operation.operationId)}, ${call});`;
  });
  return `import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: ${JSON.stringify(url)} });
const outcomes: unknown[] = [];
async function report(id: string, call: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<void> {
  const { data, error, response } = await call;
  outcomes.push({ id, status: response.status, data: data ?? null, error });
}
${lines.join("\n")}
process.stdout.write(JSON.stringify(outcomes));
`;
}

/** What the client is given. */
function optionsOf({ operation }: Place, { path, query, body }: Drawn): object {
  const params = Object.fromEntries(
    Object.entries({ path, query }).filter(([, values]) => Object.keys(values).length > 0),
  );
  return {
    ...(Object.keys(params).length > 0 ? { params } : {}),
    ...(jsonBody(operation) === undefined ? {} : { body }),
  };
}

/**
 * JSON as an expression, without a message whose fields have names like `constructor`: to TypeScript every object has
 * that, and is no text. openapi-fetch has no type for a property that is always null.
 */
function printLiteral(value: unknown): string {
  const unknown = ["names", "nullValue", "null_value"];
  return JSON.stringify(value, (key, inner) => (unknown.includes(key) ? undefined : inner));
}

const tsconfig = {
  compilerOptions: {
    ...{ target: "es2022", module: "nodenext", strict: true, exactOptionalPropertyTypes: true },
    ...{ types: [], lib: ["es2023", "dom", "dom.iterable"], skipLibCheck: false },
  },
  files: ["calls.ts", "process.d.ts"],
};

describe.each(serverNames)("%s", (name) => {
  const server: Server = serverOf(name);
  const document = server.openApi();
  const check = createCheck(document);
  const places = listOperations(document).filter(isCallable);
  const folder = join(judges, "programs", name.replaceAll(" ", "-"));
  let outcomes: { id: string; status: number; data: unknown; error: unknown }[] = [];

  beforeAll(async () => {
    await server.listen();
    mkdirSync(folder, { recursive: true });
    const { default: openapiTs, astToString } = await importJudge("openapi-typescript/dist/index.mjs");
    writeFileSync(join(folder, "schema.d.ts"), astToString(await openapiTs(JSON.stringify(document))));
    // Of several random requests one with much in it.
    const calls = places.map((place) => {
      const drawn = fc.sample(requestOf(document, place), { numRuns: 10, seed: 7 });
      return [place, drawn.sort((a, b) => JSON.stringify(b).length - JSON.stringify(a).length)[0] as Drawn] as const;
    });
    writeFileSync(join(folder, "calls.ts"), programOf(calls, server.url));
    writeFileSync(join(folder, "process.d.ts"), "declare const process: { stdout: { write(text: string): void } };\n");
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = join(judges, "node_modules", "typescript", "bin", "tsc");
    await outputOf(process.execPath, [tsc, "--project", folder], { limitMs: 100_000 });
    outcomes = JSON.parse(await outputOf(process.execPath, [join(folder, "calls.js")], { limitMs: 60_000 }));
  }, 180_000);
  afterAll(() => server.close());

  it("has more than one operation, and all of them were called", () => {
    expect(places.length).toBeGreaterThan(1);
    expect(outcomes.map(({ id }) => id)).toEqual(places.map(({ operation }) => operation.operationId));
  });

  it.each(places.map(({ operation }) => [operation.operationId, operation] as const))(
    "answers %s as is said",
    (id, operation) => {
      const outcome = outcomes.find((one) => one.id === id);
      const { responses } = operation;
      const response = (responses[String(outcome?.status)] ?? responses.default) as {
        content: Record<string, { schema: Schema }>;
      };
      const schema = response.content["application/json"]?.schema as Schema;
      expect([200, 404], JSON.stringify(outcome)).toContain(outcome?.status);
      expect(check(schema, outcome?.error ?? outcome?.data), JSON.stringify(outcome)).toBeUndefined();
    },
  );
});
