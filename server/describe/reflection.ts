// Answers gRPC server reflection, v1 and v1alpha, for a set of services, as
// https://github.com/grpc/grpc/blob/02aa9b78719bf5e7f438cd06c061e7d14be60304/doc/server-reflection.md describes it.
import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import * as v1 from "../../gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { quote } from "../quote.js";
import { type DescriptorIndex, indexDescriptors, withDependencies } from "./descriptor-index.js";

// The schemas of the two versions differ only in their package, so one implementation serves both.
type ReflectionRequest = v1.ServerReflectionRequest | v1alpha.ServerReflectionRequest;

/**
 * Routes of `grpc.reflection.v1.ServerReflection` and `grpc.reflection.v1alpha.ServerReflection`.
 *
 * `services` is called once, with the first request, since routes are registered before all services are known.
 * What it returns is what clients are told, reflection itself included if it is in there. What cannot be found is
 * answered with an `error_response` (NOT_FOUND), as is a request without a question (INVALID_ARGUMENT); neither ends
 * the stream.
 */
export function reflectionRoutes(services: () => readonly DescService[]): (router: ConnectRouter) => void {
  let reflector: Reflector | undefined;
  async function* serverReflectionInfo<R extends ReflectionRequest>(requests: AsyncIterable<R>) {
    for await (const request of requests) {
      reflector ??= createReflector(indexDescriptors(services()));
      const messageResponse = reflector(request.messageRequest);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }
  return (router) => {
    router.service(v1.ServerReflection, { serverReflectionInfo });
    router.service(v1alpha.ServerReflection, { serverReflectionInfo });
  };
}

type Reflector = ReturnType<typeof createReflector>;

function createReflector({ serviceNames, files, symbols, extensions }: DescriptorIndex) {
  const fileAnswer = createFileAnswer();
  return (question: ReflectionRequest["messageRequest"]) => {
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

// The file that was asked for comes first, because clients exist that take the first one for the answer. Everything it
// imports follows in every answer, though a server may leave out what the stream has already carried: clients that
// remember files (grpcurl, buf curl, grpcio) skip repeated ones, and those that take each answer by itself need them.
function createFileAnswer() {
  const serialised = new Map<DescFile, Uint8Array>();
  const serialise = (file: DescFile) => {
    const bytes = serialised.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    serialised.set(file, bytes);
    return bytes;
  };
  return (file: DescFile | undefined, wanted: string) => {
    if (file === undefined) return errorAnswer(Code.NotFound, `${wanted} not found`);
    const fileDescriptorProto = [...withDependencies([file]).values()].map(serialise);
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
  };
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
