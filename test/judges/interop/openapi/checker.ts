// Judges values by the schemas of a document: ajv, by JSON Schema 2020-12 with the formats of ProtoJSON.
import type { OpenApiDocument, Schema } from "../../../../server/openapi/types.js";
import { importJudge } from "./tools.js";

/** What is wrong with a value; undefined if it fits. */
export type Check = (schema: Schema, value: unknown) => string | undefined;

const { default: ajvModule } = await importJudge("ajv/dist/2020.js");
const { default: formatsModule } = await importJudge("ajv-formats/dist/index.js");

const within = (least: bigint, greatest: bigint) => (text: string) => {
  const value = /^-?\d+$/.test(text) ? BigInt(text) : undefined;
  return value !== undefined && value >= least && value <= greatest;
};

/** The formats that stand for ranges of text, which no keyword can say. */
const ranges: Record<string, (text: string) => boolean> = {
  int64: within(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: within(0n, 2n ** 64n - 1n),
  "duration-seconds": (text) => Math.abs(Number.parseFloat(text)) <= 315_576_000_000,
};

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Prepares the judging by one document. */
export function createCheck(document: OpenApiDocument): Check {
  const Ajv = ajvModule.default ?? ajvModule;
  const ajv = new Ajv({ strict: false, ownProperties: true });
  (formatsModule.default ?? formatsModule)(ajv);
  for (const [name, validate] of Object.entries(ranges)) ajv.addFormat(name, { type: "string", validate });
  ajv.addFormat("byte", base64).addFormat("uint32", true).addFormat("binary", true);
  ajv.addSchema(JSON.parse(JSON.stringify(document)), "document");
  const compiled = new Map<string, (value: unknown) => boolean>();
  return (schema, value) => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text));
    compiled.set(text, validate);
    return validate(value) ? undefined : ajv.errorsText(validate.errors);
  };
}
