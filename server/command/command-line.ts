// Parses a command line: what to do and the text of each flag, or a text to print (help, version).
import { Command, CommanderError, Option } from "commander";
import { SettingError } from "../program/setting-error.js";
import { version } from "../program/version.js";
import { defaultText, environmentName, type Flag, type Setting, settingGroups, settings } from "./settings.js";

/** What a command line asks for. `flags` has the text of each flag that was given; "true" for one that has no value. */
export type CommandLine =
  | ({ readonly kind: "serve" | "proxy" } & ServiceLine)
  | ({ readonly kind: "openapi"; readonly format: "json" | "yaml" } & ServiceLine)
  | { readonly kind: "init"; readonly folder: string }
  | { readonly kind: "print"; readonly text: string };

/** Commands that call a server in place of being one. They have flags of their own: `manywire call --help`. */
const tools = ["call", "describe", "health", "status"];

/** Whether the first word of a command line is for the tools. */
export const isTool = (word: string | undefined): boolean => word !== undefined && tools.includes(word);

interface ServiceLine {
  readonly flags: ReadonlyMap<Flag, string>;
  /** Path of the module with the service; undefined for the Greeter. */
  readonly module: string | undefined;
}

/** @throws SettingError for unknown flags and words */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  let printed = "";
  const command = createCommand((text) => {
    printed += text;
  });
  try {
    command.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "print", text: printed };
    throw new SettingError(error.message.replace(/^error: /, "").replaceAll("\n", " "), 2);
  }
  const [word = "serve", module] = command.args;
  const line = { flags: givenFlags(command), module };
  const isYaml = command.getOptionValue("yaml") === true;
  if (word === "openapi") return { kind: "openapi", ...line, format: isYaml ? "yaml" : "json" };
  if (word === "init") return { kind: "init", folder: module ?? "." };
  if (word !== "serve" && word !== "proxy") {
    throw new SettingError(
      `expected the command serve, proxy, openapi, init, call, describe, health or status, found ${JSON.stringify(word)}`,
      2,
    );
  }
  if (isYaml) throw new SettingError("--yaml: expected the command openapi to go with it", 2);
  if (word === "proxy" && module !== undefined) {
    throw new SettingError(`proxy: expected no module, found ${JSON.stringify(module)}; --upstream names a server`, 2);
  }
  return { kind: word, ...line };
}

const footer = `
Each flag has an environment variable, named behind it; the flag counts before the variable.
Times have a unit (500ms, 10s, 2m), sizes may have one (65536, 64KiB, 4MiB).`;

function createCommand(print: (text: string) => void): Command {
  const command = new Command("manywire")
    .description("Serves a protobuf service on one port: gRPC, gRPC-Web, Connect and REST, over HTTP/1.1 and HTTP/2.")
    .version(version())
    .argument(
      "[command]",
      "what to do: serve, which is the default, proxy, which serves what the server at --upstream does, openapi, which prints the API's description, init, which writes a project, or call, describe, health and status, which ask a server and have a --help of their own",
    )
    .argument(
      "[module]",
      "the service: a module whose default export is routes, or options of createServer with routes",
    )
    .option("--yaml", "with openapi: print YAML instead of JSON")
    .addHelpText("after", footer)
    .exitOverride()
    .configureOutput({ writeOut: print, outputError: () => {} });
  for (const { title, settings } of settingGroups) {
    for (const setting of settings) command.addOption(toOption(setting).helpGroup(`${title}:`));
  }
  return command;
}

/** Without `env()`, by which commander would read the process's own environment. */
function toOption(setting: Setting): Option {
  const { flag, kind, text } = setting;
  const otherwise = defaultText(setting);
  const notes = [environmentName(flag), ...(otherwise === "" ? [] : [`default: ${otherwise}`])];
  const flags = kind.placeholder === undefined ? flag : `${flag} ${kind.placeholder}`;
  const option = new Option(flags, `${text.replaceAll("`", "")} (${notes.join(", ")})`);
  if (kind.isList === true) option.argParser((value, before = "") => (before === "" ? value : `${before},${value}`));
  return option;
}

function givenFlags(command: Command): ReadonlyMap<Flag, string> {
  const flags = new Map<Flag, string>();
  for (const { flag, kind } of settings) {
    const name = command.options.find(({ long }) => long === flag)?.attributeName() ?? "";
    if (command.getOptionValueSource(name) !== "cli") continue;
    flags.set(flag, kind.placeholder === undefined ? "true" : String(command.getOptionValue(name)));
  }
  return flags;
}
