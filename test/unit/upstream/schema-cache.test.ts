import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseFile } from "../../../server/schema/file-source.js";
import { hashSchema, SchemaCache } from "../../../server/upstream/schema-cache.js";
import { craftFile, serialise } from "../../support/crafted-schema.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "manywire-cache-"));
  path = join(folder, "schemas.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

function schemaOf(...names: string[]) {
  const files = names.map((name) => parseFile(serialise(craftFile(name))));
  return { services: names.map((name) => `acme.${name}`), files, problems: new Map<string, string>() };
}

describe("a schema cache", () => {
  test("keeps the schemas of several upstreams, byte for byte, and nothing else in its folder", () => {
    new SchemaCache(path).save("a:1", schemaOf("a.proto", "b.proto"));
    new SchemaCache(path).save("b:1", schemaOf("c.proto"));
    const cache = new SchemaCache(path);
    expect(cache.load("a:1")).toEqual(schemaOf("a.proto", "b.proto"));
    expect(cache.load("b:1")).toEqual(schemaOf("c.proto"));
    expect(cache.load("c:1")).toBeUndefined();
    expect(readdirSync(folder)).toEqual(["schemas.json"]);
  });

  test("is written only when a schema has changed", () => {
    const cache = new SchemaCache(path);
    cache.save("a:1", schemaOf("a.proto"));
    const text = readFileSync(path, "utf8");
    writeFileSync(path, ` ${text}`);
    cache.save("a:1", schemaOf("a.proto"));
    expect(readFileSync(path, "utf8")).toBe(` ${text}`);
    cache.save("a:1", schemaOf("b.proto"));
    expect(cache.load("a:1")).toEqual(schemaOf("b.proto"));
  });

  test.each<[string, (text: string) => string]>([
    ["is cut", (text) => text.slice(0, -20)],
    ["is something else", () => "# notes"],
    ["is JSON of something else", () => "[1]"],
    ["has another schema under a hash", (text) => text.replace('"acme.a.proto"', '"acme.z.proto"')],
    ["has files that are none", (text) => text.replace(/"files":"[^"]*"/, '"files":"CgEB"')],
  ])("that %s is not used, and is written anew", (_, damage) => {
    const cache = new SchemaCache(path);
    cache.save("a:1", schemaOf("a.proto"));
    writeFileSync(path, damage(readFileSync(path, "utf8")));
    expect(() => cache.load("a:1")).toThrow(`${path}: not used, since it is no schema cache, or a damaged one`);
    cache.save("a:1", schemaOf("c.proto"));
    expect(cache.load("a:1")).toEqual(schemaOf("c.proto"));
  });

  test.each<[string, () => string, string]>([
    ["in no folder", () => join(folder, "none/schemas.json"), "its folder is not there"],
    ["in a file", () => join(path, "schemas.json"), "its folder is not one"],
    ["that is a folder", () => folder, "a folder, expected a file"],
  ])("%s is an error", (_, where, reason) => {
    writeFileSync(path, "");
    expect(() => new SchemaCache(where())).toThrow(`${where()}: ${reason}`);
  });

  test("may be an empty file", () => {
    mkdirSync(join(folder, "empty"));
    writeFileSync(path, "");
    expect(new SchemaCache(path).load("a:1")).toBeUndefined();
  });
});

test("the hash of a schema does not depend on the order of its parts", () => {
  const { services, files } = schemaOf("a.proto", "b.proto");
  const turned = { services: [...services].reverse(), files: [...files].reverse() };
  expect(hashSchema(turned)).toBe(hashSchema({ services, files }));
  expect(hashSchema(schemaOf("a.proto"))).not.toBe(hashSchema(schemaOf("b.proto")));
});
