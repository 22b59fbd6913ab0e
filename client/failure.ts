/** Formats an error of the command as one line and an exit code. */
import { ConnectError } from "@connectrpc/connect";
import { CommanderError } from "commander";
import { SettingError } from "../server/program/setting-error.js";
import { TransportOptionError } from "./option-error.js";

/** How the command ends. An empty `line` is not printed. */
export interface Failure {
  exitCode: number;
  line: string;
}

/** The flags of those options whose values `createTransport` judges. */
const flagsOfOption = new Map([
  ["baseUrl", "--url"],
  ["httpVersion", "--http"],
  ["tls", "--tls-ca, --tls-cert, --tls-key"],
]);

/** 2 for usage, 1 for the rest, and 0 for `--help` and `--version`, which commander also throws. */
export function explainFailure(error: unknown, url: string): Failure {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? { exitCode: 0, line: "" } : { exitCode: 2, line: oneLine(error.message) };
  }
  if (error instanceof SettingError) return { exitCode: error.exitCode, line: oneLine(`error: ${error.message}`) };
  if (error instanceof TransportOptionError) {
    const flags = flagsOfOption.get(error.option) ?? error.option;
    return { exitCode: 2, line: oneLine(`error: ${flags}: ${error.problem}`) };
  }
  return { exitCode: 1, line: oneLine(`error: ${url}: ${describe(ConnectError.from(error))}`) };
}

/** The code in brackets and the message. A host with several addresses fails with one error for each and no message. */
function describe({ message, rawMessage, cause }: ConnectError): string {
  if (rawMessage !== "" || !(cause instanceof AggregateError)) return message;
  return `${message.trim()} ${cause.errors.map((error: Error) => error.message).join(", ")}`;
}

/**
 * A server's message may hold line breaks and terminal escapes. Of OpenSSL's errors the reason stays:
 * `80BC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:…/ssl3_record.c:350:` and a line break.
 */
export function oneLine(text: string): string {
  const openSsl = /(?:[0-9A-F]+:)?error:[0-9A-F]{8}:([^:]*):[^:]*:([^:]*)(?::\S*)?/g;
  return text
    .replace(openSsl, "$1: $2")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}
