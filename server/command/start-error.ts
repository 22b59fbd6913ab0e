// Names the setting behind an error with which a server refused to start.

import { ListenError } from "../listen/bind.js";
import { SettingError } from "../program/setting-error.js";
import { RoutingError } from "../rest/route/rules.js";
import type { Config } from "./config.js";
import type { Service } from "./service.js";
import { describeError } from "./service-module.js";
import { type Flag, settings } from "./settings.js";

/**
 * Renames errors of `createServer` and `listen` to the settings of the command. An error in a module begins with its
 * path. An error of any other kind comes back as it is.
 */
export function explainStartError(
  error: unknown,
  { options, nameOf, httpRules }: Config,
  { module }: Pick<Service, "module">,
): unknown {
  if (error instanceof ListenError) {
    const flag = options.path === undefined ? (flags.get(error.code) ?? "--host") : "--path";
    const name = options.fd === undefined ? nameOf(flag) : "LISTEN_FDS";
    return new SettingError(`${name}: ${error.message}`, 1);
  }
  if (error instanceof RoutingError && httpRules !== undefined) {
    const place = `${nameOf("--http-rules")}: ${httpRules}`;
    return new SettingError(error.problems.map((problem) => `${place}: ${problem}`).join("\n"), 1);
  }
  if (error instanceof RangeError) return new SettingError(renameOptions(error.message, nameOf), 2);
  if (module === undefined) return error;
  const problems = error instanceof RoutingError ? error.problems : [describeError(error)];
  return new SettingError(problems.map((problem) => `${module}: ${problem}`).join("\n"), 2);
}

/** The settings that are wrong if an address cannot be bound, by Node's code. */
const flags: ReadonlyMap<string, Flag> = new Map([
  ["EADDRINUSE", "--port"],
  ["EACCES", "--port"],
]);

/** The server checks options that contradict each other, and calls them `limits.requestMs` and `headersMs`. */
function renameOptions(message: string, nameOf: Config["nameOf"]): string {
  return message.replace(/\b(?:limits\.|rest\.)?([a-z]+[A-Z]\w*)/g, (name, option: string) => {
    const setting = settings.find(
      (each) => each.option === option || each.option === `limits.${option}` || each.option === `rest.${option}`,
    );
    return setting === undefined ? name : nameOf(setting.flag);
  });
}
