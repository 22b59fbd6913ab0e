/** Calls both methods of the Greeter as the command line says, and prints the replies. */
import { createClient, type Transport } from "@connectrpc/connect";
import { Command, InvalidArgumentError, Option } from "commander";
import { Greeter } from "../gen/hello_world_pb.js";
import { version } from "../server/program/version.js";
import { explainFailure } from "./failure.js";
import { createTlsOptions, readTls, type TlsFiles } from "./tls-files.js";
import { createTransport, type Protocol, protocols, type TransportOptions } from "./transport.js";

/** Where the command writes; `process` is one. */
interface CommandStreams {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** The flags' values, from the command line, else the environment, else the defaults. */
interface CommandSettings extends TlsFiles {
  protocol: Protocol;
  url: string;
  name: string;
  json: boolean;
  codeGeneration: boolean;
  http: "1.1" | "2";
  timeout: number;
}

/** Resolves to the exit code: 0 for two replies, 2 for wrong usage, 1 for the rest; then one line on `stderr` says why. */
export async function runCommand(argv: readonly string[], streams: CommandStreams): Promise<number> {
  const command = createCommand(streams);
  try {
    command.parse(argv, { from: "user" });
    const settings = command.opts<CommandSettings>();
    await greet(settings, (line) => streams.stdout.write(`${line}\n`));
    return 0;
  } catch (error) {
    const { exitCode, line } = explainFailure(error, command.opts<CommandSettings>().url);
    if (line !== "") streams.stderr.write(`${line}\n`);
    return exitCode;
  }
}

async function greet(settings: CommandSettings, print: (line: string) => void): Promise<void> {
  const transport = createTransport(transportOptions(settings));
  try {
    await callGreeter(transport, settings.name, print);
  } finally {
    transport.close();
  }
}

async function callGreeter(transport: Transport, name: string, print: (line: string) => void): Promise<void> {
  const greeter = createClient(Greeter, transport);
  print(`SayHello received: ${(await greeter.sayHello({ name })).message}`);
  print(`SayHelloAgain received: ${(await greeter.sayHelloAgain({ name })).message}`);
}

function transportOptions(settings: CommandSettings): TransportOptions {
  const { protocol, url: baseUrl, http: httpVersion, json, timeout: defaultTimeoutMs, codeGeneration } = settings;
  const tls = readTls(settings);
  const options = { protocol, baseUrl, httpVersion, useBinaryFormat: !json, defaultTimeoutMs, codeGeneration };
  return tls === undefined ? options : { ...options, tls };
}

function createCommand(streams: CommandStreams): Command {
  const command = new Command("manywire-client")
    .description("Calls both methods of hello_world.Greeter and prints the answers.")
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), outputError: () => {} });
  for (const option of createOptions()) command.addOption(option.env(environmentName(option)));
  return command;
}

function createOptions(): Option[] {
  return [
    new Option("--protocol <name>", "how to call").choices(protocols).default("connect"),
    new Option("--url <url>", "http:, https: or unix: URL").default("http://localhost:50051"),
    new Option("--name <name>", "who is to be greeted").default("you"),
    new Option("--json [boolean]", "send JSON instead of binary").argParser(parseBoolean).default(false),
    new Option("--code-generation [boolean]", "make code of message types, which reads and writes them faster")
      .argParser(parseBoolean)
      .default(true),
    new Option("--http <version>", "version of HTTP; gRPC has only 2").choices(["1.1", "2"]).default("2"),
    ...createTlsOptions(),
    new Option("--timeout <ms>", "deadline of each call").argParser(parseTimeoutMs).default(10_000),
  ];
}

/** `--tls-ca` → `MANYWIRE_CLIENT_TLS_CA`; without CLIENT it would be the server's own certificate that is read. */
function environmentName(option: Option): string {
  return `MANYWIRE_CLIENT_${option.name().toUpperCase().replaceAll("-", "_")}`;
}

function parseBoolean(text: string): boolean {
  if (text !== "true" && text !== "false") throw new InvalidArgumentError("Expected true or false.");
  return text === "true";
}

function parseTimeoutMs(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : 0;
  if (ms < 1) throw new InvalidArgumentError("Expected a whole number of milliseconds, at least 1.");
  return ms;
}
