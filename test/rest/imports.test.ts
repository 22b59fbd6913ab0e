import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = "server/rest";
const sources = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);

test.each(sources)(
  "%s needs neither Node nor the rest of the server but the codec, types and quotes, because the client has it too",
  (_, source) => {
    const imports = [...source.matchAll(/ from "(.*)";$/gm)].map(([, specifier = ""]) => specifier);
    const isOurs =
      /^(?:\.\/[\w-]+\.js|\.\.\/quote\.js|\.\.\/(?:codec|schema)\/[\w-]+\.js|\.\.\/\.\.\/gen\/google\/.*|@bufbuild\/protobuf(?:\/\w+)?|@connectrpc\/connect)$/;
    expect(imports.filter((specifier) => !isOurs.test(specifier))).toEqual([]);
    expect(source).not.toMatch(/\b(?:Buffer|process|require|globalThis)\b[.(]/);
  },
);
