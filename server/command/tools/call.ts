// `manywire call`: calls one method over any protocol, with JSON in and out.
import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromJsonString,
  type JsonWriteOptions,
  type Message,
  type Registry,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { oneLine } from "../../../client/failure.js";
import { SettingError } from "../../program/setting-error.js";
import { JsonTexts } from "./json-texts.js";
import { findMethod, loadSchema } from "./schema.js";
import { openTarget, type Target, type TargetFlags } from "./target.js";

export interface CallFlags extends TargetFlags {
  /** JSON values one after the other, or `@` for standard input; undefined for an empty message. */
  readonly data?: string;
  readonly schema?: string;
  readonly emitDefaults: boolean;
  readonly verbose: boolean;
}

/** Where a tool reads and writes; `process` is one. */
export interface ToolStreams {
  readonly stdin: AsyncIterable<Buffer | string>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Added to the number of the code of a call that failed, to make an exit code: as grpcurl does. */
const failedCall = 64;

/**
 * Resolves to the exit code: 0, or 64 and the number of the call's code. Writes each reply as it comes.
 *
 * @param name `package.Service/Method`
 * @throws SettingError, and ConnectError if the schema could not be read
 */
export async function call(address: string, name: string, flags: CallFlags, streams: ToolStreams): Promise<number> {
  const target = openTarget(address, flags);
  try {
    const schema = await loadSchema(address, flags, flags.schema);
    const method = findMethod(schema, name);
    const print = createPrinter(method, schema.types, flags, streams);
    const requests = readRequests(method, schema.types, flags.data, streams.stdin);
    try {
      await (method.methodKind === "unary" ? callUnary : callStream)(method as never, target, requests, print);
      return 0;
    } catch (error) {
      const reason = ConnectError.from(error);
      // What is wrong in the data of a stream ends the call.
      if (error instanceof SettingError) throw error;
      if (reason.cause instanceof SettingError) throw reason.cause;
      return print.failure(reason);
    }
  } finally {
    target.transport.close();
  }
}

async function callUnary(method: DescMethodUnary, target: Target, requests: AsyncIterable<Message>, print: Printer) {
  const { transport, headers, timeoutMs } = target;
  const request = await takeOne(method, requests);
  const { header, message, trailer } = await transport.unary(method, undefined, timeoutMs, headers, request);
  print.metadata("header", header);
  print.reply(message);
  print.metadata("trailer", trailer);
}

async function callStream(
  method: DescMethodStreaming,
  target: Target,
  requests: AsyncIterable<Message>,
  print: Printer,
) {
  const { transport, headers, timeoutMs } = target;
  const isOne = method.methodKind === "server_streaming";
  const input = isOne ? createAsyncIterable([await takeOne(method, requests)]) : requests;
  const { header, message, trailer } = await transport.stream(method, undefined, timeoutMs, headers, input);
  print.metadata("header", header);
  for await (const reply of message) print.reply(reply);
  print.metadata("trailer", trailer);
}

async function* readRequests(
  { input }: DescMethod,
  registry: Registry,
  data: string | undefined,
  stdin: ToolStreams["stdin"],
): AsyncGenerator<Message> {
  let count = 0;
  for await (const text of readTexts(data, stdin)) {
    count++;
    try {
      yield fromJsonString(input, text, { registry });
    } catch (error) {
      throw new SettingError(`--data: message ${count}: ${(error as Error).message}`, 2);
    }
  }
}

async function* readTexts(data: string | undefined, stdin: ToolStreams["stdin"]): AsyncGenerator<string> {
  const texts = new JsonTexts();
  if (data !== "@") yield* texts.push(data ?? "");
  else for await (const part of stdin) yield* texts.push(part.toString());
  yield* texts.end();
}

/** The request of a method that has one; an empty message if none is given. */
async function takeOne({ name, input }: DescMethod, requests: AsyncIterable<Message>): Promise<Message> {
  let only: Message | undefined;
  for await (const request of requests) {
    if (only !== undefined) throw new SettingError(`--data: ${name} takes one message, found more`, 2);
    only = request;
  }
  return only ?? fromJsonString(input, "{}");
}

interface Printer {
  reply(message: Message): void;
  metadata(kind: string, headers: Headers): void;
  /** Returns the exit code. */
  failure(error: ConnectError): number;
}

function createPrinter({ output }: DescMethod, registry: Registry, flags: CallFlags, streams: ToolStreams): Printer {
  const options: Partial<JsonWriteOptions> = { registry, alwaysEmitImplicit: flags.emitDefaults };
  return {
    reply(message) {
      streams.stdout.write(`${toJsonString(output, message, { ...options, prettySpaces: 2 })}\n`);
    },
    metadata(kind, headers) {
      if (!flags.verbose) return;
      for (const [name, value] of headers) streams.stderr.write(`${kind} ${name}: ${value}\n`);
    },
    failure(error) {
      this.metadata("header", error.metadata);
      streams.stderr.write(`error: ${oneLine(error.message)}\n`);
      for (const detail of error.details) streams.stderr.write(`${describeDetail(detail, registry)}\n`);
      return failedCall + error.code;
    },
  };
}

/** A detail as JSON; one of an unknown type by its name and size. */
function describeDetail(detail: ConnectError["details"][number], registry: Registry): string {
  if ("desc" in detail) return detail.desc.typeName;
  const { type, value } = detail;
  try {
    const any = create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value });
    return JSON.stringify(toJson(AnySchema, any, { registry }), undefined, 2);
  } catch {
    return `${type}, ${value.length} bytes`;
  }
}
