// Asks a server for the files that define its services, by gRPC server reflection, v1 or v1alpha:
// https://github.com/grpc/grpc/blob/02aa9b78719bf5e7f438cd06c061e7d14be60304/doc/server-reflection.md
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import * as v1 from "../../gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { quote } from "../quote.js";
import { isOfTools } from "./tools.js";

/** What a server serves. */
export interface ReflectedSchema {
  /** Full names of the services, without those of reflection and health. */
  readonly services: readonly string[];
  readonly files: readonly FileDescriptorProto[];
}

type Question = NonNullable<MessageInitShape<typeof v1.ServerReflectionRequestSchema>["messageRequest"]>;
type Answer = v1.ServerReflectionResponse["messageResponse"];

/** More than this, in bytes and in files, is a fault of the server. */
const schemaBytesMax = 64 * 1024 * 1024;
const filesMax = 20_000;
const timeoutMs = 20_000;

/**
 * Reads the schema of a server, all of it in one stream, so that one version of the server serves it.
 *
 * @param isKnown whether an import need not be asked for
 * @throws ConnectError if the server has no reflection, cannot be reached, or sends what is no schema
 */
export async function readSchema(
  transport: Transport,
  isKnown: (fileName: string) => boolean,
  signal: AbortSignal,
): Promise<ReflectedSchema> {
  try {
    return await readBy(v1.ServerReflection, transport, isKnown, signal);
  } catch (error) {
    const reason = ConnectError.from(error);
    if (reason.code === Code.DeadlineExceeded || signal.aborted) throw reason;
    // Some servers do not say UNIMPLEMENTED for a service that they do not have, and proxies before them say anything.
    try {
      return await readBy(v1alpha.ServerReflection, transport, isKnown, signal);
    } catch (second) {
      throw reason.code === Code.Unimplemented ? ConnectError.from(second) : reason;
    }
  }
}

async function readBy(
  service: typeof v1.ServerReflection | typeof v1alpha.ServerReflection,
  transport: Transport,
  isKnown: (fileName: string) => boolean,
  signal: AbortSignal,
): Promise<ReflectedSchema> {
  const end = new AbortController();
  const requests = createWritableIterable<MessageInitShape<typeof v1.ServerReflectionRequestSchema>>();
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
    const schema = await new Reader(ask, isKnown).read();
    requests.close();
    // The server ends the stream now.
    await responses.next();
    return schema;
  } finally {
    end.abort();
  }
}

class Reader {
  readonly #ask: (question: Question) => Promise<Answer>;
  readonly #isKnown: (fileName: string) => boolean;
  readonly #files = new Map<string, FileDescriptorProto>();
  #bytes = 0;

  constructor(ask: (question: Question) => Promise<Answer>, isKnown: (fileName: string) => boolean) {
    this.#ask = ask;
    this.#isKnown = isKnown;
  }

  async read(): Promise<ReflectedSchema> {
    const services = await this.#listServices();
    for (const name of services) {
      this.#add(await this.#ask({ case: "fileContainingSymbol", value: name }), `service ${quote(name)}`);
    }
    await this.#readImports();
    return { services, files: [...this.#files.values()] };
  }

  async #listServices(): Promise<readonly string[]> {
    const answer = await this.#ask({ case: "listServices", value: "" });
    if (answer.case !== "listServicesResponse") throw toError(answer, "the list of services");
    return answer.value.service.map(({ name }) => name).filter((name) => !isOfTools(name));
  }

  /** Asks for the imports that did not come along. One that the server does not have may be one that only options need. */
  async #readImports(): Promise<void> {
    const asked = new Set<string>();
    const queue = [...this.#files.values()];
    for (const { dependency } of queue) {
      for (const name of dependency) {
        if (this.#files.has(name) || this.#isKnown(name) || asked.has(name)) continue;
        asked.add(name);
        const answer = await this.#ask({ case: "fileByFilename", value: name });
        if (answer.case === "fileDescriptorResponse") queue.push(...this.#add(answer, name));
      }
    }
  }

  #add(answer: Answer, wanted: string): FileDescriptorProto[] {
    if (answer.case !== "fileDescriptorResponse") throw toError(answer, wanted);
    const added: FileDescriptorProto[] = [];
    for (const bytes of answer.value.fileDescriptorProto) {
      this.#count(bytes);
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      if (this.#files.has(file.name)) continue;
      this.#files.set(file.name, file);
      added.push(file);
    }
    return added;
  }

  #count({ length }: Uint8Array): void {
    this.#bytes += length;
    if (this.#bytes <= schemaBytesMax && this.#files.size < filesMax) return;
    const limits = `at most ${schemaBytesMax} bytes in ${filesMax} files`;
    throw new ConnectError(`reflection: expected ${limits}, found more`, Code.ResourceExhausted);
  }
}

function toError(answer: Answer, wanted: string): ConnectError {
  if (answer.case === "errorResponse") {
    return new ConnectError(
      `reflection: ${wanted}: ${answer.value.errorMessage}`,
      answer.value.errorCode || Code.Unknown,
    );
  }
  const found = answer.case ?? "a response without a message";
  return new ConnectError(`reflection: expected ${wanted}, found ${found}`, Code.Internal);
}
