// Loads the user's service from a module: `manywire serve ./service.js`.
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ServerOptions } from "../options.js";
import { SettingError } from "../program/setting-error.js";
import { describeValue } from "../quote.js";

const expected = "routes (router) => void, or options of createServer with routes, as its default export";

/**
 * Imports a module whose default export is `routes`, or options of `createServer` with `routes`.
 *
 * @param path relative to the working directory
 * @throws SettingError with one line that begins with the path
 */
export async function loadService(path: string): Promise<ServerOptions> {
  const file = resolve(path);
  if (!existsSync(file)) throw wrong(path, `no such file; expected a module with ${expected}`);
  const exported = await importModule(path, pathToFileURL(file).href);
  if (!("default" in exported)) {
    const names = Object.keys(exported).join(", ");
    throw wrong(path, `expected ${expected}, found ${names === "" ? "no export" : `only ${names}`}`);
  }
  const service = exported.default;
  if (typeof service === "function") return { routes: service as ServerOptions["routes"] };
  if (isServerOptions(service)) return service;
  throw wrong(path, `expected ${expected}, found ${describe(service)}`);
}

async function importModule(path: string, url: string): Promise<Record<string, unknown>> {
  try {
    return await import(url);
  } catch (error) {
    const name = error instanceof Error ? `${error.name}: ` : "";
    throw wrong(path, `expected a module that can be loaded, found ${name}${describeError(error)}`);
  }
}

function isServerOptions(value: unknown): value is ServerOptions {
  return typeof value === "object" && value !== null && "routes" in value && typeof value.routes === "function";
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return describeValue(value);
  return "routes" in value ? `an object with routes of type ${typeof value.routes}` : "an object without routes";
}

/** What was thrown, on one line, with the place in the user's own code where its stack has one. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `the thrown value ${String(error)}`;
  const message = error.message.replaceAll(/\s*\n\s*/g, " ");
  const places = [...(error.stack ?? "").matchAll(/(file:\/\/[^\s)]+?):(\d+)/g)];
  const [, url, line] =
    places.find(([, url = ""]) => !url.startsWith(ownCode) && !url.includes("/node_modules/")) ?? [];
  return url === undefined ? message : `${message} (${relative(process.cwd(), fileURLToPath(url))}:${line})`;
}

const ownCode = new URL("..", import.meta.url).href;

function wrong(path: string, problem: string): SettingError {
  return new SettingError(`${path}: ${problem}`, 2);
}
