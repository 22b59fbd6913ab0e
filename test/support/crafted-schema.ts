// Schemas that no compiler has seen, and servers that reflect them, right or wrong.
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  setExtension,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_descriptor,
  FieldDescriptorProto_Label as Label,
  MethodOptionsSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { file_google_api_annotations, http } from "../../gen/google/api/annotations_pb.js";
import { file_google_api_http, HttpRuleSchema } from "../../gen/google/api/http_pb.js";
import { type ServerReflectionResponse, ServerReflection as V1 } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";

export type FileInit = Omit<MessageInitShape<typeof FileDescriptorProtoSchema>, "$typeName">;

/** A file of proto3, in the package acme unless it says otherwise. */
export function craftFile(name: string, init: FileInit = {}): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, { name, package: "acme", syntax: "proto3", ...init });
}

export interface ServiceInit {
  /** Name of its file. */
  readonly file: string;
  readonly package: string;
  readonly methods: readonly string[];
  /** Name of the only field of requests and replies, besides `any`. Default `text`. */
  readonly field?: string;
  /** Maps `Method` to its path in REST. Default `/package/method/{field}`. */
  readonly path?: (method: string) => string;
}

/** A file with a service `Service` of unary methods, whose requests and replies are `Item`s. */
export function craftService({
  file,
  package: scope,
  methods,
  field = "text",
  path,
}: ServiceInit): FileDescriptorProto {
  const type = `.${scope}.Item`;
  return craftFile(file, {
    package: scope,
    dependency: ["google/api/annotations.proto", "google/protobuf/any.proto"],
    messageType: [
      {
        name: "Item",
        field: [
          { name: field, jsonName: field, number: 1, type: Type.STRING, label: Label.OPTIONAL },
          {
            ...{ name: "any", jsonName: "any", number: 2, type: Type.MESSAGE, label: Label.OPTIONAL },
            typeName: ".google.protobuf.Any",
          },
        ],
      },
    ],
    service: [
      {
        name: "Service",
        method: methods.map((name) => {
          const options = create(MethodOptionsSchema);
          const get = path?.(name) ?? `/${scope}/${name.toLowerCase()}/{${field}}`;
          setExtension(options, http, create(HttpRuleSchema, { pattern: { case: "get", value: get } }));
          return { name, inputType: type, outputType: type, options };
        }),
      },
    ],
  });
}

/** What crafted services import. */
const imports = [
  file_google_protobuf_any,
  file_google_protobuf_descriptor,
  file_google_api_http,
  file_google_api_annotations,
];

/** The services of files, each of which comes after its imports. */
export function buildServices(...files: readonly FileDescriptorProto[]): DescService[] {
  const file = [...imports.map(({ proto }) => proto), ...files];
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
  return files.flatMap(({ name }) => registry.getFile(name)?.services ?? []);
}

/** Serves unary methods of services with one handler. */
export function serveAll(
  services: readonly DescService[],
  handle: (request: Message & Record<string, unknown>, method: DescMethod) => unknown,
): (router: ConnectRouter) => void {
  return (router) => {
    for (const { methods } of services) {
      for (const method of methods) {
        router.rpc(method, ((request: Message & Record<string, unknown>) => handle(request, method)) as never);
      }
    }
  };
}

export function serialise(file: FileDescriptorProto): Uint8Array {
  return toBinary(FileDescriptorProtoSchema, file);
}

export function descriptorSet(...files: readonly FileDescriptorProto[]): Uint8Array {
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files] }));
}

/** What a request of reflection asks for: `listServices`, `fileByFilename`, …, and the name. */
export interface Asked {
  readonly case: string | undefined;
  readonly value: unknown;
}

export type Answer = ServerReflectionResponse["messageResponse"];
type AnswerInit = NonNullable<MessageInitShape<typeof V1.method.serverReflectionInfo.output>["messageResponse"]>;

/** Responds to each request by itself. */
export type Reflector = (asked: Asked) => AnswerInit | Promise<AnswerInit>;

export const filesAnswer = (...files: readonly (FileDescriptorProto | Uint8Array)[]): AnswerInit => ({
  case: "fileDescriptorResponse",
  value: { fileDescriptorProto: files.map((file) => (file instanceof Uint8Array ? file : serialise(file))) },
});

export const servicesAnswer = (...names: readonly string[]): AnswerInit => ({
  case: "listServicesResponse",
  value: { service: names.map((name) => ({ name })) },
});

export const errorAnswer = (errorMessage: string, errorCode: Code = Code.NotFound): AnswerInit => ({
  case: "errorResponse",
  value: { errorCode, errorMessage },
});

/** Responds with the files that there are, each alone, and an error for others. */
export function reflectFiles(...files: readonly FileDescriptorProto[]): Reflector {
  const services = files.flatMap((file) => file.service.map(({ name }) => ({ name: `${file.package}.${name}`, file })));
  return ({ case: question, value }) => {
    if (question === "listServices") return servicesAnswer(...services.map(({ name }) => name));
    const found =
      question === "fileByFilename"
        ? files.find(({ name }) => name === value)
        : services.find(({ name }) => name === value)?.file;
    return found === undefined ? errorAnswer(`no ${value}`) : filesAnswer(found);
  };
}

/** Registers reflection with responses of its own; `refusals` fail instead. */
export function reflectionOf(
  reflect: Reflector,
  refusals: { readonly v1?: ConnectError; readonly v1alpha?: ConnectError } = {},
): (router: ConnectRouter) => void {
  const serve = (refusal: ConnectError | undefined) =>
    async function* (requests: AsyncIterable<{ readonly messageRequest: Asked }>) {
      if (refusal !== undefined) throw refusal;
      for await (const { messageRequest } of requests) yield { messageResponse: await reflect(messageRequest) };
    };
  return (router) => {
    router.rpc(V1.method.serverReflectionInfo, serve(refusals.v1) as never);
    router.rpc(V1Alpha.method.serverReflectionInfo, serve(refusals.v1alpha) as never);
  };
}

export const unimplemented: ConnectError = new ConnectError("not here", Code.Unimplemented);
