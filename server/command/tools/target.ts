// Which server a tool calls, and how: what all tools have in common.
import { type Command, InvalidArgumentError, Option } from "commander";
import { toBaseUrl } from "../../../client/base-url.js";
import { createTlsOptions, readTls, type TlsFiles } from "../../../client/tls-files.js";
import { type ClosableTransport, createTransport, type Protocol, protocols } from "../../../client/transport.js";
import { SettingError } from "../../program/setting-error.js";
import { duration } from "../setting-kinds.js";

/** The values of the flags. */
export interface TargetFlags extends TlsFiles {
  readonly protocol: Protocol;
  readonly http?: "1.1" | "2";
  readonly header: readonly string[];
  /** Milliseconds. */
  readonly timeout: number | undefined;
}

/** A server, and what each call to it has. */
export interface Target {
  readonly transport: ClosableTransport;
  readonly headers: Headers;
  readonly timeoutMs: number | undefined;
}

/** Adds the flags to a command. @param timeout the default, as a user would write it */
export function addTargetOptions(command: Command, timeout?: string): Command {
  const time = new Option("--timeout <time>", "deadline of each call, such as 500ms or 10s").argParser(parseTime);
  if (timeout !== undefined) time.default(parseTime(timeout), timeout);
  const options = [
    new Option("--protocol <name>", "how to call").choices(protocols).default("grpc"),
    new Option("--http <version>", "version of HTTP; gRPC has only 2").choices(["1.1", "2"]),
    new Option("-H, --header <name: value>", "header of each call; may be repeated")
      .argParser(collect)
      .default([], "none"),
    time,
    ...createTlsOptions(),
  ];
  for (const option of options) command.addOption(option);
  return command;
}

/**
 * Opens a transport, which connects with its first call.
 *
 * @param address `localhost:50051`, `http://…`, `https://…` or `unix:/path`
 * @throws SettingError or TransportOptionError
 */
export function openTarget(address: string, flags: TargetFlags): Target {
  return {
    transport: openTransport(address, flags, flags.protocol),
    headers: readHeaders(flags.header),
    timeoutMs: flags.timeout,
  };
}

/** The same server by gRPC, for its reflection. */
export function openReflection(address: string, flags: TargetFlags): Target {
  return openTarget(address, { ...flags, protocol: "grpc", http: "2" });
}

function openTransport(address: string, flags: TargetFlags, protocol: Protocol): ClosableTransport {
  const tls = readTls(flags);
  const http = flags.http ?? "2";
  return createTransport({ protocol, baseUrl: toBaseUrl(address), httpVersion: http, ...(tls && { tls }) });
}

function readHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    try {
      headers.append(line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim());
    } catch {
      throw new SettingError(`--header: expected "name: value", found ${JSON.stringify(line)}`, 2);
    }
  }
  return headers;
}

function parseTime(text: string): number {
  const kind = duration(1);
  const ms = kind.parse(text);
  if (ms === undefined) throw new InvalidArgumentError(`Expected ${kind.expected}.`);
  return ms;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
