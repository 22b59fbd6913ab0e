// Reads the configuration file of `manywire proxy` by the table of its keys, and finds everything that is wrong in it.
import { dirname, isAbsolute, join } from "node:path";
import { isAlias, isMap, isNode, isScalar, isSeq, visit } from "yaml";
import { SettingError } from "../program/setting-error.js";
import { describeValue, quote } from "../quote.js";
import { didYouMean } from "../suggest.js";
import { configMapping, keyOf, type Mapping, type Shape } from "./config-fields.js";
import type { RateLimitSettings } from "./rate-limit-settings.js";
import type { Kind, Rate } from "./setting-kinds.js";
import { type Flag, type Given, settings } from "./settings.js";
import type { UpstreamFiles, UpstreamSettings } from "./upstream-settings.js";
import { fits } from "./value-schema.js";
import { maxProblems, readYamlFile, type YamlFile } from "./yaml-file.js";

/** What a configuration file says. Paths in it have been resolved. */
export interface ConfigFile {
  readonly settings: ReadonlyMap<Flag, Given>;
  readonly upstreams: readonly UpstreamSettings[];
  readonly rateLimits?: readonly RateLimitSettings[];
  readonly auth?: Given<object> | undefined;
}

/** The values of a mapping, by key; a mapping, or a list of them, is a value, too. */
type Values = ReadonlyMap<string, Given>;

const maxBytes = 256 * 1024;
/** Each stands for as much as its anchor has. */
const maxAliases = 100;

/**
 * @param name of the setting that names the file, for the error if it cannot be read
 * @throws SettingError with a line for each fault: file, line, column, key, what was expected, and what was found
 */
export function readConfigFile(name: string, path: string): ConfigFile {
  const reader = new Reader(readYamlFile({ name, path, place: path, maxBytes, uniqueKeys: false }), path);
  const file = reader.read();
  const { problems } = reader;
  if (problems.length > 0) throw new SettingError(problems.join("\n"), 2);
  return file;
}

/** A node with its key, such as `upstreams[0].url`. */
interface Spot {
  readonly node: unknown;
  readonly key: string;
  /** Offset of the node; of its key, or of what it is in, if there is no node. */
  readonly offset: number;
}

class Reader {
  readonly problems: string[] = [];
  readonly #file: YamlFile;
  readonly #folder: string;
  readonly #targets: ReadonlyMap<unknown, unknown>;
  #aliases = 0;

  constructor(file: YamlFile, path: string) {
    this.#file = file;
    this.#folder = dirname(path);
    this.#targets = findTargets(file);
  }

  read(): ConfigFile {
    const { contents } = this.#file.document;
    const values = this.#mapping({ node: contents, key: "", offset: 0 }, configMapping);
    const given = settings.flatMap(({ flag }): [Flag, Given][] => {
      const value = values.get(keyOf(flag));
      return value === undefined ? [] : [[flag, value]];
    });
    const listOf = (key: string) => (values.get(key)?.value ?? []) as readonly Given<Values>[];
    return {
      settings: new Map(given),
      upstreams: listOf("upstreams").map(({ value }) => this.#upstream(value)),
      rateLimits: listOf("rate-limits").map(toRateLimit),
      auth: values.get("auth") as Given<object> | undefined,
    };
  }

  #upstream(values: Values): UpstreamSettings {
    const { tls, proto, schema, reflection, ...others } = Object.fromEntries(values);
    const { ca, cert, key, serverName } = Object.fromEntries((tls?.value ?? []) as Values);
    const options = Object.fromEntries(Object.entries(others).map(([name, { value }]) => [name, value]));
    const url = String(options.url);
    if (tls !== undefined && !url.startsWith("https:")) {
      this.#note(`${tls.name}: expected an https: address in url, found ${quote(url)}`);
    }
    if (proto !== undefined && schema !== undefined)
      this.#note(`${proto.name}: expected either it or schema, found both`);
    if (reflection?.value === false && proto === undefined && schema === undefined) {
      this.#note(`${reflection.name}: expected proto or schema to go with false, found neither`);
    }
    if (cert !== undefined && key === undefined) this.#note(`${cert.name}: expected key to go with it`);
    if (key !== undefined && cert === undefined) this.#note(`${key.name}: expected cert to go with it`);
    return {
      options: options as UpstreamSettings["options"],
      reflection: reflection as Given<boolean> | undefined,
      serverName: serverName?.value as string | undefined,
      files: { ca, cert, key, proto, schema } as UpstreamFiles,
    };
  }

  #read(spot: Spot, shape: Shape): unknown {
    switch (shape.kind) {
      case "mapping":
        return this.#mapping(spot, shape);
      case "list":
        return this.#mappings(spot, shape);
      case "data":
        return this.#data(spot, shape.expected);
      default:
        return shape.of.isList === true ? this.#items(spot, shape.of) : this.#value(spot, shape);
    }
  }

  #mapping(spot: Spot, { fields, expected }: Mapping): Values {
    const values = new Map<string, Given>();
    const mapping = this.#resolve(spot.node);
    if (!isMap(mapping)) {
      this.#expect(spot, expected);
      return values;
    }
    const seen = new Map<string, number>();
    for (const pair of mapping.items) {
      const offset = offsetOf(pair.key) ?? spot.offset;
      const name = isScalar(pair.key) ? String(pair.key.value) : "";
      const first = seen.get(name);
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (this.#isFull) break;
      if (field === undefined) {
        const others = Object.keys(fields).filter((one) => !seen.has(one));
        this.#problem({ ...spot, offset }, `unknown key ${quote(name)}${didYouMean(name, others)}`);
      } else if (first !== undefined) {
        this.#problem(
          { ...spot, offset },
          `duplicate key ${quote(name)}; the first is in line ${this.#file.lineOf(first)}`,
        );
      } else {
        seen.set(name, offset);
        const key = spot.key === "" ? name : `${spot.key}.${name}`;
        const inner = { node: pair.value, key, offset: offsetOf(pair.value) ?? offset };
        values.set(name, { name: this.#nameOf(inner), value: this.#read(inner, field.shape) });
      }
    }
    for (const [name, { isRequired, shape }] of Object.entries(fields)) {
      if (isRequired !== true || seen.has(name)) continue;
      this.#expect(
        { node: undefined, key: spot.key === "" ? name : `${spot.key}.${name}`, offset: spot.offset },
        expectedOf(shape),
      );
    }
    return values;
  }

  #mappings(spot: Spot, shape: ShapeOf<"list">): readonly Given<Values>[] {
    return this.#list(spot, shape.expected).map((item) => ({
      name: this.#nameOf(item),
      value: this.#mapping(item, shape.item),
    }));
  }

  #data(spot: Spot, expected: string): unknown {
    const mapping = this.#resolve(spot.node);
    if (!isMap(mapping)) {
      this.#expect(spot, expected);
      return undefined;
    }
    try {
      return mapping.toJS(this.#file.document, { maxAliasCount: maxAliases });
    } catch (error) {
      this.#problem(spot, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #items(spot: Spot, kind: Kind<unknown>): unknown {
    return this.#list(spot, `a list: ${kind.expected}`).flatMap((item) => {
      const text = isScalar(item.node) ? item.node.value : undefined;
      const parsed = fits(kind.schema.items ?? {}, text) ? kind.parse(String(text)) : undefined;
      if (parsed === undefined) this.#expect(item, kind.expected);
      return parsed;
    });
  }

  #list(spot: Spot, expected: string): readonly Spot[] {
    const list = this.#resolve(spot.node);
    if (isSeq(list) && list.items.length > 0) {
      return list.items.map((node, index) => ({
        node: this.#resolve(node),
        key: `${spot.key}[${index}]`,
        offset: offsetOf(node) ?? spot.offset,
      }));
    }
    this.#expect(spot, expected);
    return [];
  }

  #value(spot: Spot, { of, isInverted = false }: ShapeOf<"value">): unknown {
    const node = this.#resolve(spot.node);
    const value = isScalar(node) ? node.value : undefined;
    const parsed = fits(of.schema, value) ? of.parse(String(isInverted ? !value : value)) : undefined;
    if (parsed === undefined) this.#expect(spot, of.expected);
    return of.isPath === true && typeof parsed === "string" ? this.#locate(parsed) : parsed;
  }

  /** Paths are relative to the file. */
  #locate(path: string): string {
    return isAbsolute(path) ? path : join(this.#folder, path);
  }

  /** Returns an alias as it is if it stands for nothing, or if there are too many. */
  #resolve(node: unknown): unknown {
    if (!isAlias(node) || this.#aliases++ >= maxAliases) return node;
    return this.#targets.get(node) ?? node;
  }

  #nameOf({ key, offset }: Spot): string {
    const place = this.#file.placeOf(offset);
    return key === "" ? place : `${place}: ${key}`;
  }

  #expect(spot: Spot, expected: string): void {
    if (this.#isFull) return;
    this.#problem(spot, `expected ${expected}, found ${describeNode(spot.node)}`);
  }

  #problem(spot: Spot, text: string): void {
    this.#note(`${this.#nameOf(spot)}: ${text}`);
  }

  #note(problem: string): void {
    if (!this.#isFull) this.problems.push(problem);
  }

  get #isFull(): boolean {
    return this.problems.length >= maxProblems;
  }
}

function toRateLimit({ name, value }: Given<Values>): RateLimitSettings {
  const { limit, ...others } = Object.fromEntries(value);
  const own = Object.fromEntries(Object.entries(others).map(([key, one]) => [key, one.value]));
  return { name, options: { ...(limit?.value as Rate | undefined), ...own } };
}

type ShapeOf<Name extends Shape["kind"]> = Extract<Shape, { kind: Name }>;

/** Alias → the node that it stands for. `Alias.resolve` would go through the whole file for each. */
function findTargets({ document }: YamlFile): ReadonlyMap<unknown, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  visit(document, (_, node) => {
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if (isNode(node) && "anchor" in node && node.anchor !== undefined) anchors.set(node.anchor, node);
  });
  return targets;
}

function expectedOf(shape: Shape): string {
  return shape.kind === "value" ? shape.of.expected : shape.expected;
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function describeNode(node: unknown): string {
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return node.items.length === 0 ? "an empty list" : "a list";
  if (isAlias(node)) return `an alias without its anchor, or more than ${maxAliases} aliases`;
  return isScalar(node) && node.value !== null ? describeValue(node.value) : "none";
}
