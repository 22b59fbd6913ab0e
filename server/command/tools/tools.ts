// The commands that ask a server in place of being one: call, describe, health and status.
import { Command } from "commander";
import { explainFailure } from "../../../client/failure.js";
import { version } from "../../program/version.js";
import { type CallFlags, call, type ToolStreams } from "./call.js";
import { type DescribeFlags, describe } from "./describe.js";
import { checkHealth, type HealthFlags } from "./health.js";
import { type StatusFlags, showStatus } from "./status.js";
import { addTargetOptions } from "./target.js";

/** Where an address is wanted and none is given. */
const defaultAddress = "localhost:50051";

/** Resolves to the exit code. @param argv whose first word is the name of a tool */
export async function runTool(argv: readonly string[], streams: ToolStreams): Promise<number> {
  let exitCode = 0;
  let address = "";
  const command = createCommand(streams);
  addTargetOptions(command.command("call"))
    .description("Calls a method over any protocol, with JSON in and out. The server's reflection tells its types.")
    .argument("<address>", `such as ${defaultAddress} or https://api.example.com`)
    .argument("<method>", "package.Service/Method")
    .option("-d, --data <json>", "request; for a stream one JSON value after the other; @ for standard input")
    .option("--schema <file>", "the server's files as a FileDescriptorSet, in place of its reflection")
    .option("--emit-defaults", "print fields with default values, too", false)
    .option("-v, --verbose", "print headers and trailers to standard error", false)
    .action(async (target: string, method: string, flags: CallFlags) => {
      address = target;
      exitCode = await call(target, method, flags, streams);
    });
  addTargetOptions(command.command("describe"))
    .description("Prints the services of a server, or one symbol, as the text of a proto file.")
    .argument("<address>")
    .argument("[symbol]", "full name of a service, method, message, enum or extension")
    .option("--schema <file>", "the server's files as a FileDescriptorSet, in place of its reflection")
    .action(async (target: string, symbol: string | undefined, flags: DescribeFlags) => {
      address = target;
      await describe(target, symbol, flags, streams);
    });
  addTargetOptions(command.command("health"), "5s")
    .description(
      "Asks by grpc.health.v1. Exit codes: 0 serving, 1 wrong usage, 2 no connection, 3 failed call, 4 not serving.",
    )
    .argument("[address]", "", defaultAddress)
    .option("--service <name>", "full name of a service; without it the server", "")
    .action(async (target: string, flags: HealthFlags) => {
      address = target;
      exitCode = await checkHealth(target, flags, streams);
    });
  command
    .command("status")
    .description("Shows a running server of this machine. Exit codes: 0 serving, 1 wrong usage, 2 none, 4 not serving.")
    .option("--control <file>", "the socket that the server was started with (MANYWIRE_CONTROL)")
    .option("--json", "print JSON", false)
    .action(async (flags: StatusFlags) => {
      exitCode = await showStatus(flags, streams);
    });
  try {
    await command.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    const failure = explainFailure(error, address);
    if (failure.line !== "") streams.stderr.write(`${failure.line}\n`);
    // 2 is a server that cannot be reached, for what asks about health.
    return (argv[0] === "health" || argv[0] === "status") && failure.exitCode === 2 ? 1 : failure.exitCode;
  }
}

function createCommand({ stdout }: ToolStreams): Command {
  return new Command("manywire")
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: (text) => void stdout.write(text), outputError: () => {} });
}
