// Asks a server for the files that define its services, by gRPC server reflection, v1 or v1alpha:
// https://github.com/grpc/grpc/blob/02aa9b78719bf5e7f438cd06c061e7d14be60304/doc/server-reflection.md
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import * as v1 from "../../gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { toError } from "../call/error.js";
import { quote } from "../quote.js";
import { type FileSource, parseFile } from "../schema/file-source.js";
import { isOfTools } from "./tools.js";

/** What a server serves. */
export interface ReflectedSchema {
  /** Full names of the services, without those of tools. */
  readonly services: readonly string[];
  readonly files: readonly FileSource[];
  /** Full name of a service → why the server did not give its file. */
  readonly problems: ReadonlyMap<string, string>;
}

/** What a server may send. More is a fault of the server. */
export interface ReflectionLimits {
  /** Of all files. */
  readonly bytes: number;
  /** Of files, and of requests for them. */
  readonly files: number;
  /** For all of it. */
  readonly timeoutMs: number;
}

type Question = NonNullable<MessageInitShape<typeof v1.ServerReflectionRequestSchema>["messageRequest"]>;
type Answer = v1.ServerReflectionResponse["messageResponse"];
type Ask = (question: Question) => Promise<Answer>;

/** Maximum size of a schema in bytes. */
export const schemaBytesMax: number = 64 * 1024 * 1024;

const defaultLimits: ReflectionLimits = { bytes: schemaBytesMax, files: 20_000, timeoutMs: 20_000 };

/**
 * Reads the schema of a server, all of it in one stream, so that one version of the server serves it.
 *
 * @param isKnown whether an import need not be asked for
 * @throws ConnectError if the server has no reflection (`unimplemented`), cannot be reached, or does not keep to the limits
 */
export async function readSchema(
  transport: Transport,
  isKnown: (fileName: string) => boolean,
  signal: AbortSignal,
  limits: ReflectionLimits = defaultLimits,
): Promise<ReflectedSchema> {
  const readBy = (service: typeof v1.ServerReflection | typeof v1alpha.ServerReflection) =>
    converse(service, transport, signal, limits, (ask) => new Reader(ask, isKnown, limits).read());
  try {
    return await readBy(v1.ServerReflection);
  } catch (error) {
    const reason = ConnectError.from(error);
    if (finalCodes.has(reason.code) || signal.aborted) throw reason;
    // Some servers do not say UNIMPLEMENTED for a service that they do not have, and proxies before them say anything.
    try {
      return await readBy(v1alpha.ServerReflection);
    } catch (second) {
      throw reason.code === Code.Unimplemented ? ConnectError.from(second) : reason;
    }
  }
}

/** Codes that the other version would end with as well. */
const finalCodes: ReadonlySet<Code> = new Set([Code.DeadlineExceeded, Code.ResourceExhausted]);

async function converse(
  service: typeof v1.ServerReflection | typeof v1alpha.ServerReflection,
  transport: Transport,
  signal: AbortSignal,
  { timeoutMs }: ReflectionLimits,
  read: (ask: Ask) => Promise<ReflectedSchema>,
): Promise<ReflectedSchema> {
  const end = new AbortController();
  const requests = createWritableIterable<MessageInitShape<typeof v1.ServerReflectionRequestSchema>>();
  // Both versions have the same messages.
  const responses = createClient(service as typeof v1.ServerReflection, transport)
    .serverReflectionInfo(requests, { signal: AbortSignal.any([signal, end.signal]), timeoutMs })
    [Symbol.asyncIterator]();
  const ask = async (messageRequest: Question): Promise<Answer> => {
    // Resolves when the request is read, which may be never; a failure comes with the response.
    requests.write({ messageRequest }).catch(() => {});
    const { done, value } = await responses.next();
    if (done === true) throw new ConnectError("reflection ended before its response", Code.Unavailable);
    return value.messageResponse;
  };
  try {
    const schema = await read(ask);
    requests.close();
    // The server ends the stream now.
    await responses.next();
    return schema;
  } finally {
    end.abort();
  }
}

class Reader {
  readonly #ask: Ask;
  readonly #isKnown: (fileName: string) => boolean;
  readonly #limits: ReflectionLimits;
  readonly #files = new Map<string, FileSource>();
  readonly #defined = new Set<string>();
  readonly #problems = new Map<string, string>();
  #asked = 0;
  #bytes = 0;

  constructor(ask: Ask, isKnown: (fileName: string) => boolean, limits: ReflectionLimits) {
    this.#ask = (question) => {
      this.#asked++;
      this.#checkLimits();
      return ask(question);
    };
    this.#isKnown = isKnown;
    this.#limits = limits;
  }

  async read(): Promise<ReflectedSchema> {
    const services = await this.#listServices();
    for (const name of services) {
      if (this.#defined.has(name)) continue;
      const problem = this.#add(await this.#ask({ case: "fileContainingSymbol", value: name }));
      if (problem !== undefined) this.#problems.set(name, problem);
      else if (!this.#defined.has(name)) this.#problems.set(name, "the server gives a file without it");
    }
    await this.#readImports();
    return { services, files: [...this.#files.values()], problems: this.#problems };
  }

  async #listServices(): Promise<readonly string[]> {
    const answer = await this.#ask({ case: "listServices", value: "" });
    if (answer.case === "listServicesResponse") {
      return [...new Set(answer.value.service.map(({ name }) => name))].filter((name) => !isOfTools(name));
    }
    const code = answer.case === "errorResponse" ? answer.value.errorCode || Code.Unknown : Code.Internal;
    throw new ConnectError(`reflection: list of services: ${describe(answer)}`, code);
  }

  /** Asks for the imports that did not come along. One that the server does not have may be one that only options need. */
  async #readImports(): Promise<void> {
    const asked = new Set<string>();
    // Files that are added while this runs are visited, too.
    for (const { proto } of this.#files.values()) {
      for (const name of proto.dependency) {
        if (this.#files.has(name) || this.#isKnown(name) || asked.has(name)) continue;
        asked.add(name);
        this.#add(await this.#ask({ case: "fileByFilename", value: name }));
      }
    }
  }

  /** Adds the files of a response. Returns what is wrong with it, if anything. */
  #add(answer: Answer): string | undefined {
    if (answer.case !== "fileDescriptorResponse") return describe(answer);
    let problem: string | undefined;
    for (const bytes of answer.value.fileDescriptorProto) {
      this.#bytes += bytes.length;
      this.#checkLimits();
      try {
        this.#addFile(parseFile(bytes));
      } catch (error) {
        problem = `the server gives a malformed file: ${toError(error).message}`;
      }
    }
    return problem;
  }

  #addFile(file: FileSource): void {
    const { name, package: scope, service } = file.proto;
    if (this.#files.has(name)) return;
    this.#files.set(name, file);
    for (const one of service) this.#defined.add(scope === "" ? one.name : `${scope}.${one.name}`);
  }

  #checkLimits(): void {
    const { bytes, files } = this.#limits;
    if (this.#bytes <= bytes && this.#files.size <= files && this.#asked <= files) return;
    throw new ConnectError(`reflection: expected at most ${bytes} bytes in ${files} files`, Code.ResourceExhausted);
  }
}

function describe(answer: Answer): string {
  if (answer.case === "errorResponse") return `the server says: ${quote(answer.value.errorMessage)}`;
  return `unexpected ${answer.case === undefined ? "empty response" : quote(answer.case)} of the server`;
}
