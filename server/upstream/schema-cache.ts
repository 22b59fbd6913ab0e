// Keeps the schemas of upstreams in a file, so that they are served after a restart while an upstream is not there.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { joinDescriptorSet, parseFile, splitDescriptorSet } from "../schema/file-source.js";
import type { ReflectedSchema } from "./reflection-client.js";

/** The file, as JSON. */
interface Content {
  /** Address of an upstream as it was given → its schema. */
  readonly upstreams: Readonly<Record<string, Entry>>;
}

interface Entry {
  /** Full names of the services that it listed. */
  readonly services: readonly string[];
  /** A serialised google.protobuf.FileDescriptorSet in base64. */
  readonly files: string;
  /** `hashSchema` of both. */
  readonly sha256: string;
}

/** Returns a hash that is the same for the same services and files in any order, in hexadecimal. */
export function hashSchema({ services, files }: Pick<ReflectedSchema, "services" | "files">): string {
  const hash = createHash("sha256");
  for (const name of [...services].sort()) hash.update(`${name}\n`);
  const byName = [...files].sort((a, b) => (a.proto.name < b.proto.name ? -1 : 1));
  for (const { bytes } of byName) hash.update(`${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

/** A file with the schemas of any number of upstreams. */
export class SchemaCache {
  readonly #path: string;

  /** @throws Error that begins with the path, if the file cannot be read or written */
  constructor(path: string) {
    this.#path = path;
    this.#explain(() => {
      this.#read();
      writeFileSync(this.#newPath, "");
      rmSync(this.#newPath);
    });
  }

  /**
   * Returns the schema that was saved last for an upstream, or undefined.
   *
   * @throws Error that begins with the path, if the file is damaged
   */
  load(url: string): ReflectedSchema | undefined {
    const text = this.#read();
    if (text === "") return undefined;
    try {
      const entry = parseContent(text).upstreams[url];
      return entry === undefined ? undefined : parseEntry(entry);
    } catch (error) {
      throw new Error(`${this.#path}: not used, since it is no schema cache, or a damaged one`, { cause: error });
    }
  }

  /** Saves a schema, unless it is there. @throws Error that begins with the path, if the file cannot be written */
  save(url: string, schema: ReflectedSchema): void {
    const upstreams = this.#entries();
    const sha256 = hashSchema(schema);
    if (upstreams[url]?.sha256 === sha256) return;
    const files = Buffer.from(joinDescriptorSet(schema.files.map(({ bytes }) => bytes))).toString("base64");
    const content: Content = { upstreams: { ...upstreams, [url]: { services: schema.services, files, sha256 } } };
    // One that reads it meanwhile, and one that is killed here, sees the old file or the new one.
    this.#explain(() => {
      writeFileSync(this.#newPath, `${JSON.stringify(content)}\n`);
      renameSync(this.#newPath, this.#path);
    });
  }

  /** A damaged file is written anew. */
  #entries(): Content["upstreams"] {
    try {
      return parseContent(this.#read()).upstreams;
    } catch {
      return {};
    }
  }

  /** The text of the file; empty if there is none. */
  #read(): string {
    try {
      return readFileSync(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw error;
    }
  }

  get #newPath(): string {
    return `${this.#path}.${process.pid}.new`;
  }

  #explain(act: () => void): void {
    try {
      act();
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      throw new Error(`${this.#path}: ${reasons.get(code) ?? message}`, { cause: error });
    }
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "its folder is not there"],
  ["ENOTDIR", "its folder is not one"],
  ["EISDIR", "a folder, expected a file"],
  ["EACCES", "no permission to read or write it"],
  ["EPERM", "no permission to read or write it"],
  ["EROFS", "the file system is read-only"],
]);

function parseContent(text: string): Content {
  const { upstreams } = JSON.parse(text) as Partial<Content>;
  if (typeof upstreams !== "object" || upstreams === null) throw new Error("expected an object upstreams");
  return { upstreams };
}

function parseEntry({ services, files, sha256 }: Entry): ReflectedSchema {
  const set = splitDescriptorSet(Buffer.from(files, "base64")).map(parseFile);
  const schema = { services: services.map(String), files: set, problems: new Map<string, string>() };
  if (hashSchema(schema) !== sha256) throw new Error("expected the hash of its content");
  return schema;
}
