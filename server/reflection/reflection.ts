// Serves gRPC server reflection, v1 and v1alpha, for a set of services, as
// https://github.com/grpc/grpc/blob/02aa9b78719bf5e7f438cd06c061e7d14be60304/doc/server-reflection.md describes it.
import { create, type DescFile, type DescService, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import * as v1 from "../../gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { quote } from "../quote.js";
import { type DescriptorIndex, indexDescriptors, withDependencies } from "../schema/descriptor-index.js";
import { renameFile, serialisedOf } from "../schema/file-source.js";
import { once, runInSlices, type Work } from "../slices.js";

// The schemas of the two versions differ only in their package, so one implementation serves both.
type ReflectionRequest = v1.ServerReflectionRequest | v1alpha.ServerReflectionRequest;

/**
 * Routes of `grpc.reflection.v1.ServerReflection` and `grpc.reflection.v1alpha.ServerReflection`.
 *
 * `services` is called for each request, and indexed when it returns another list than before. Clients get what it
 * returns, with reflection itself if it is among them, and the types of error details. An unknown name
 * gets an `error_response` (NOT_FOUND), and so does a request without a question (INVALID_ARGUMENT). Neither ends the stream.
 */
export function reflectionRoutes(services: () => readonly DescService[]): (router: ConnectRouter) => void {
  const openReflector = forEachList(services, async (list) =>
    createReflector(await runInSlices(indexDescriptors(list))),
  );
  async function* serverReflectionInfo<R extends ReflectionRequest>(requests: AsyncIterable<R>) {
    for await (const request of requests) {
      const reflector = await openReflector();
      const messageResponse = await reflector(request.messageRequest);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }
  return (router) => {
    router.service(v1.ServerReflection, { serverReflectionInfo });
    router.service(v1alpha.ServerReflection, { serverReflectionInfo });
  };
}

/** Makes a value of the list that `read` returns, and keeps it until `read` returns another list. */
function forEachList<List, Value>(read: () => List, make: (list: List) => Value): () => Value {
  let last: { readonly list: List; readonly value: Value } | undefined;
  return () => {
    const list = read();
    if (last === undefined || last.list !== list) last = { list, value: make(list) };
    return last.value;
  };
}

function createReflector({ serviceNames, files, names, symbols, extensions }: DescriptorIndex) {
  const fileAnswer = createFileAnswer(names);
  return async (question: ReflectionRequest["messageRequest"]) => {
    switch (question.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: serviceNames.map((name) => ({ name })) } } as const;
      case "fileByFilename":
        return fileAnswer(files.get(question.value), `file ${quote(question.value)}`);
      case "fileContainingSymbol":
        return fileAnswer(symbols.get(question.value), `symbol ${quote(question.value)}`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const file = extensions.get(containingType)?.get(extensionNumber);
        return fileAnswer(file, `extension ${extensionNumber} of ${quote(containingType)}`);
      }
      case "allExtensionNumbersOfType":
        return extensionNumbersAnswer(question.value, extensions.get(question.value));
      default:
        return errorAnswer(Code.InvalidArgument, "message_request: expected one of its fields to be set, found none");
    }
  };
}

// The file that was asked for comes first, because some clients use only the first one. Everything it
// imports follows in every response, though a server may leave out what the stream has already carried: clients that
// remember files (grpcurl, buf curl, grpcio) skip repeated ones, and those that take each response by itself need them.
// Imports that do not fit into a message of 4 MiB are left out. Clients then ask for them by name.
function createFileAnswer(names: ReadonlyMap<DescFile, string>) {
  const serialised = new Map<DescFile, () => Promise<Uint8Array>>();
  const serialise = (file: DescFile) => {
    const bytes = serialised.get(file) ?? once(() => serialiseAs(file, names));
    serialised.set(file, bytes);
    return bytes();
  };
  return async (file: DescFile | undefined, wanted: string) => {
    if (file === undefined) return errorAnswer(Code.NotFound, `${wanted} not found`);
    const fileDescriptorProto: Uint8Array[] = [];
    let leftBytes = filesLimitBytes;
    for (const each of withDependencies([file]).values()) {
      const bytes = await serialise(each);
      if (each !== file && bytes.length > leftBytes) continue;
      fileDescriptorProto.push(bytes);
      leftBytes -= bytes.length;
    }
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
  };
}

/** The message limit of most clients, less 64 KiB for the rest of the response. */
const filesLimitBytes = 4 * 1024 * 1024 - 64 * 1024;

/** A file of an upstream is passed on as it came, so that nothing is lost that only its tools know. */
async function serialiseAs(file: DescFile, names: ReadonlyMap<DescFile, string>): Promise<Uint8Array> {
  const bytes = serialisedOf(file) ?? (await runInSlices(serialiseFile(file.proto)));
  const renamed = new Map<string, string>();
  for (const one of [file, ...file.dependencies]) {
    const { name } = one.proto;
    const newName = names.get(one) ?? name;
    if (newName !== name) renamed.set(name, newName);
  }
  return renamed.size === 0 ? bytes : renameFile(bytes, renamed);
}

/**
 * Serialises a file without its source info, which is most of a large file and which no client of reflection needs. Parts of
 * a message that are serialised on their own merge when joined: https://protobuf.dev/programming-guides/encoding/#last-one-wins.
 */
function* serialiseFile(file: FileDescriptorProto): Work<Uint8Array> {
  const { sourceCodeInfo: _, ...others } = file;
  const withoutTypes = { ...others, messageType: [], enumType: [], service: [], extension: [] };
  const parts = [toBinary(FileDescriptorProtoSchema, withoutTypes)];
  for (const part of typesIn(file)) {
    parts.push(toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, part)));
    yield;
  }
  return Buffer.concat(parts);
}

function* typesIn(file: FileDescriptorProto): Generator<MessageInitShape<typeof FileDescriptorProtoSchema>> {
  for (const type of file.messageType) yield { messageType: [type] };
  for (const type of file.enumType) yield { enumType: [type] };
  for (const type of file.service) yield { service: [type] };
  for (const type of file.extension) yield { extension: [type] };
}

function extensionNumbersAnswer(baseTypeName: string, ofType: ReadonlyMap<number, unknown> | undefined) {
  if (ofType === undefined) return errorAnswer(Code.NotFound, `message ${quote(baseTypeName)} not found`);
  const extensionNumber = [...ofType.keys()].sort((a, b) => a - b);
  return { case: "allExtensionNumbersResponse", value: { baseTypeName, extensionNumber } } as const;
}

// Connect's codes have gRPC's numbers.
function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse", value: { errorCode, errorMessage } } as const;
}
