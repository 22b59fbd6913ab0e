// Two validators and a linter judge the documents, and their JSON and YAML as they are served.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { toYamlText } from "../../../../server/pages/docs.js";
import { outputOf } from "../../../support/program.js";
import { python } from "../tools.js";
import { serverNames, serverOf } from "./documents.js";
import { importJudge } from "./tools.js";

const folder = mkdtempSync(join(tmpdir(), "manywire-openapi-"));
afterAll(() => rmSync(folder, { recursive: true }));

const limitMs = 120_000;
/** Looks for the property beside `required`, where `not` has none: generators read what is within `not` as a type. */
const exception = "no-required-schema-properties-undefined";

/** Rules of the linter that a document breaks on purpose, and why. */
const exceptions: Record<string, readonly string[]> = {
  // The test service has routes that overlap, of which the most specific is taken.
  RestService: ["no-ambiguous-paths"],
  "RestService in other forms": ["no-ambiguous-paths"],
};

describe.each(serverNames)("the document of %s", (name) => {
  const document = serverOf(name).openApi();
  const text = JSON.stringify(document);

  it("is valid to @seriousme/openapi-schema-validator", async () => {
    const { Validator } = await importJudge("@seriousme/openapi-schema-validator/index.js");
    expect(await new Validator().validate(JSON.parse(text))).toEqual({ valid: true });
  });

  // It takes 13 s for a document of many routes, so it gets the JSON alone.
  it("is valid to Python's openapi-spec-validator", { timeout: limitMs }, async () => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, text);
    expect(await outputOf(python, ["-m", "openapi_spec_validator", file], { limitMs })).toBe(`${file}: OK\n`);
  });

  it("is the same in YAML to the reader of Python's openapi-spec-validator", async () => {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, toYamlText(document));
    const program = [
      "import json, sys",
      "from openapi_spec_validator.readers import read_from_filename",
      "print(json.dumps(read_from_filename(sys.argv[1])[0]))",
    ].join("\n");
    expect(JSON.parse(await outputOf(python, ["-c", program, file]))).toEqual(JSON.parse(text));
  });

  it("is clean to Redocly's recommended rules", async () => {
    const { createConfig, lintFromString } = await importJudge("@redocly/openapi-core/lib/index.js");
    const rules = Object.fromEntries([exception, ...(exceptions[name] ?? [])].map((rule) => [rule, "off"]));
    const config = await createConfig({ extends: ["recommended"], rules });
    const problems = await lintFromString({ source: text, absoluteRef: join(folder, "openapi.json"), config });
    expect(problems.map(({ ruleId, message }: Record<string, string>) => `${ruleId}: ${message}`)).toEqual([]);
  });

  it("is the same in YAML", () => {
    expect(parse(toYamlText(document))).toEqual(JSON.parse(text));
  });
});
