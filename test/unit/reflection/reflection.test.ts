import {
  create,
  createFileRegistry,
  createRegistry,
  type DescFile,
  type DescMethodUnary,
  type DescService,
  equals,
  fromBinary,
  fromJson,
  getOption,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
} from "@bufbuild/protobuf/wkt";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { http } from "../../../gen/google/api/annotations_pb.js";
import { Health } from "../../../gen/grpc/health/v1/health_pb.js";
import * as v1 from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { file_hello_world, Greeter } from "../../../gen/hello_world_pb.js";
import { reflectionRoutes } from "../../../server/reflection/reflection.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { serviceOf } from "../../support/shelf.js";

type Reflection = typeof v1.ServerReflection;
type Question = NonNullable<MessageInitShape<typeof v1.ServerReflectionRequestSchema>["messageRequest"]>;
type Answer = v1.ServerReflectionResponse["messageResponse"];

// Both versions have the same fields, so the tests write the requests of both with the types of v1.
const versions = [
  { version: "v1", service: v1.ServerReflection },
  { version: "v1alpha", service: v1alpha.ServerReflection as DescService as Reflection },
];

const services: DescService[] = [
  Greeter,
  TestService,
  Health,
  v1.ServerReflection,
  v1alpha.ServerReflection,
  serviceOf("shelf.more.Loans"),
  serviceOf("BareService"),
];

type Request = MessageInitShape<typeof v1.ServerReflectionRequestSchema>;

/** The responses to the requests of one stream, in a server with the given services. */
async function converse(service: Reflection, requests: Iterable<Request> | AsyncIterable<Request>, served = services) {
  const client = createClient(service, createRouterTransport(reflectionRoutes(() => served)));
  return collect(client.serverReflectionInfo(stream(requests)));
}

async function* stream<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function ask(service: Reflection, question: Question): Promise<Answer> {
  const [response] = await converse(service, [{ messageRequest: question }]);
  if (response === undefined) throw new Error("no response");
  return response.messageResponse;
}

function bytesIn(answer: Answer): Uint8Array[] {
  if (answer.case !== "fileDescriptorResponse") throw new Error(`no files, but ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto;
}

function filesIn(answer: Answer): FileDescriptorProto[] {
  return bytesIn(answer).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

const greeterFiles = [
  "hello_world.proto",
  "google/api/annotations.proto",
  "google/api/http.proto",
  "google/protobuf/descriptor.proto",
];
const symbol = (value: string): Question => ({ case: "fileContainingSymbol", value });
const filename = (value: string): Question => ({ case: "fileByFilename", value });
const extensionOf = (containingType: string, extensionNumber: number): Question => ({
  case: "fileContainingExtension",
  value: { containingType, extensionNumber },
});
const listServices = (value: string): Question => ({ case: "listServices", value });
const numbersOf = (value: string): Question => ({ case: "allExtensionNumbersOfType", value });

describe.each(versions)("reflection $version", ({ service }) => {
  test("lists every service, itself included, sorted by name, for any value", async () => {
    for (const value of ["", "*", "hello_world"]) {
      expect(await ask(service, listServices(value))).toMatchObject({
        case: "listServicesResponse",
        value: {
          service: [
            { name: "BareService" },
            { name: "grpc.health.v1.Health" },
            { name: "grpc.reflection.v1.ServerReflection" },
            { name: "grpc.reflection.v1alpha.ServerReflection" },
            { name: "hello_world.Greeter" },
            { name: "manywire.test.v1.TestService" },
            { name: "shelf.more.Loans" },
          ],
        },
      });
    }
  });

  test.each<[string, Question, string[]]>([
    ["a file with imports", filename("hello_world.proto"), greeterFiles],
    ["an import of a service's file", filename("google/api/http.proto"), ["google/api/http.proto"]],
    ["a well-known file", filename("google/protobuf/descriptor.proto"), ["google/protobuf/descriptor.proto"]],
    ["health's file by its canonical name", filename("grpc/health/v1/health.proto"), ["grpc/health/v1/health.proto"]],
    ["a service", symbol("hello_world.Greeter"), greeterFiles],
    ["a method", symbol("hello_world.Greeter.SayHello"), greeterFiles],
    ["a message", symbol("hello_world.HelloRequest"), greeterFiles],
    ["a field", symbol("hello_world.HelloRequest.name"), greeterFiles],
    ["a message of an import", symbol("google.api.HttpRule"), ["google/api/http.proto"]],
    ["a nested message", symbol("shelf.Book.Page"), ["shelf/shelf.proto"]],
    ["a field of a nested message", symbol("shelf.Book.Page.number"), ["shelf/shelf.proto"]],
    ["a map's entry message", symbol("shelf.Book.TagsEntry"), ["shelf/shelf.proto"]],
    ["a oneof", symbol("shelf.Book.name"), ["shelf/shelf.proto"]],
    ["the oneof of an optional field", symbol("Bare._skin"), ["bare.proto"]],
    ["an enum", symbol("shelf.Order"), ["shelf/shelf.proto"]],
    ["an enum value, the sibling of its enum", symbol("shelf.BY_TITLE"), ["shelf/shelf.proto"]],
    ["a nested enum", symbol("shelf.Book.Page.Side"), ["shelf/shelf.proto"]],
    ["a nested enum's value", symbol("shelf.Book.Page.LEFT"), ["shelf/shelf.proto"]],
    ["a service that is not served, in a file that is", symbol("shelf.Shelf.Lend"), ["shelf/shelf.proto"]],
    ["an extension by name", symbol("shelf.more.weight"), ["shelf/more.proto", "shelf/shelf.proto"]],
    ["a nested extension by name", symbol("shelf.more.Ribbon.ribbon"), ["shelf/more.proto", "shelf/shelf.proto"]],
    ["a symbol without a package", symbol("BareService.Do"), ["bare.proto"]],
    ["an enum value without a package", symbol("NONE"), ["bare.proto"]],
    ["an extension by number", extensionOf("shelf.Book", 101), ["shelf/shelf.proto"]],
    ["a nested extension by number", extensionOf("shelf.Book", 100), ["shelf/more.proto", "shelf/shelf.proto"]],
    [
      "an error detail, which no service imports",
      symbol("google.rpc.BadRequest"),
      ["google/rpc/error_details.proto", "google/protobuf/duration.proto"],
    ],
    ["the status that holds it", symbol("google.rpc.Status"), ["google/rpc/status.proto", "google/protobuf/any.proto"]],
    ["a well-known type", symbol("google.protobuf.Struct"), ["google/protobuf/struct.proto"]],
    ["an option by number", extensionOf("google.protobuf.MethodOptions", 72295728), greeterFiles.slice(1)],
  ])("sends the file of %s first, then its imports", async (_, question, names) => {
    expect(filesIn(await ask(service, question)).map((file) => file.name)).toEqual(names);
  });

  test.each<[string, Question, number[]]>([
    ["in several files", numbersOf("shelf.Book"), [100, 101, 199]],
    ["of an option message", numbersOf("google.protobuf.MethodOptions"), [72295728]],
    ["of a message that has none", numbersOf("hello_world.HelloRequest"), []],
  ])("sends the extension numbers %s in ascending order", async (_, question, extensionNumber) => {
    expect(await ask(service, question)).toMatchObject({
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: question.value, extensionNumber },
    });
  });

  const unset = "message_request: expected one of its fields to be set, found none";
  const errors: [string, Question, Code, string][] = [
    ["no such file", filename("hello_world"), Code.NotFound, 'file "hello_world" not found'],
    ["an empty file name", filename(""), Code.NotFound, 'file "" not found'],
    ["no such symbol", symbol("hello_world.Nobody"), Code.NotFound, 'symbol "hello_world.Nobody" not found'],
    ["an empty symbol", symbol(""), Code.NotFound, 'symbol "" not found'],
    ["a package", symbol("hello_world"), Code.NotFound, 'symbol "hello_world" not found'],
    ["a leading dot", symbol(".hello_world.Greeter"), Code.NotFound, 'symbol ".hello_world.Greeter" not found'],
    [
      "a value below its enum",
      symbol("shelf.Order.BY_TITLE"),
      Code.NotFound,
      'symbol "shelf.Order.BY_TITLE" not found',
    ],
    ["a name that every object has", symbol("constructor"), Code.NotFound, 'symbol "constructor" not found'],
    ["no such extension", extensionOf("shelf.Book", 150), Code.NotFound, 'extension 150 of "shelf.Book" not found'],
    ["an extension of nothing", extensionOf("shelf.Box", 100), Code.NotFound, 'extension 100 of "shelf.Box" not found'],
    ["extension numbers of nothing", numbersOf("shelf.Box"), Code.NotFound, 'message "shelf.Box" not found'],
    ["extension numbers of a service", numbersOf("shelf.Shelf"), Code.NotFound, 'message "shelf.Shelf" not found'],
    ["no question", { case: undefined }, Code.InvalidArgument, unset],
  ];
  test.each(errors)("responds to %s with an error_response", async (_, question, errorCode, errorMessage) => {
    expect(await ask(service, question)).toMatchObject({ case: "errorResponse", value: { errorCode, errorMessage } });
  });

  test("continues after each error and responds in the order of the requests, echoing host and request", async () => {
    const questions = [...errors.map(([, question]) => question), symbol("hello_world.Greeter")];
    const requests = questions.map((messageRequest, i) => ({ host: `host-${i}.example`, messageRequest }));
    const responses = await converse(service, requests);
    expect(responses.map(({ validHost }) => validHost)).toEqual(requests.map(({ host }) => host));
    expect(responses.map(({ originalRequest }) => originalRequest?.host)).toEqual(requests.map(({ host }) => host));
    expect(responses.map(({ originalRequest }) => originalRequest?.messageRequest)).toMatchObject(questions);
    expect(responses.map(({ messageResponse }) => messageResponse.case)).toEqual([
      ...errors.map(() => "errorResponse"),
      "fileDescriptorResponse",
    ]);
  });

  test("responds to a request before the next one arrives", async () => {
    const transport = createRouterTransport(reflectionRoutes(() => services));
    let release = () => {};
    const firstAnswer = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* requests(): AsyncGenerator<Request> {
      yield { messageRequest: symbol("nothing") };
      await firstAnswer;
      yield { messageRequest: symbol("hello_world.Greeter") };
    }
    const answered: unknown[] = [];
    for await (const { messageResponse } of createClient(service, transport).serverReflectionInfo(requests())) {
      answered.push(messageResponse.case);
      release();
    }
    expect(answered).toEqual(["errorResponse", "fileDescriptorResponse"]);
  });

  test("sends the imports again to a stream that has had them, so that each response is complete", async () => {
    const questions = [symbol("hello_world.Greeter"), filename("google/api/annotations.proto")];
    const responses = await converse(
      service,
      questions.map((messageRequest) => ({ messageRequest })),
    );
    const names = responses.map(({ messageResponse }) => filesIn(messageResponse).map((file) => file.name));
    expect(names).toEqual([greeterFiles, greeterFiles.slice(1)]);
  });
});

/** Builds a registry from one response alone, dependencies first as createFileRegistry wants them. */
function registryFrom(answer: Answer) {
  return createFileRegistry(create(FileDescriptorSetSchema, { file: filesIn(answer).reverse() }));
}

describe("the files that reflection sends", () => {
  test("are enough to call the method", async () => {
    const answer = await ask(v1.ServerReflection, symbol("hello_world.Greeter.SayHello"));
    const sayHello = registryFrom(answer).getService("hello_world.Greeter")?.method.sayHello as DescMethodUnary;
    const transport = createRouterTransport((router) =>
      router.service(Greeter, { sayHello: ({ name }) => ({ message: `Hello, ${name}!` }) }),
    );
    const request = fromJson(sayHello.input, { name: "you" });
    const { message } = await transport.unary(sayHello, undefined, undefined, undefined, request);
    expect(toJson(sayHello.output, message)).toEqual({ message: "Hello, you!" });
  });

  test.each<[string, DescFile]>([
    ["an annotated service", file_hello_world],
    ["descriptor.proto, which protobuf-es carries in a form of its own", file_google_protobuf_descriptor],
    ["a proto2 file with extensions", serviceOf("shelf.more.Loans").file],
  ])("hold %s as the server has it", async (_, { proto }) => {
    const [sent] = filesIn(await ask(v1.ServerReflection, filename(proto.name)));
    expect(sent && equals(FileDescriptorProtoSchema, sent, proto, { unknown: true, registry: createRegistry() })).toBe(
      true,
    );
  });

  test("keep the options that extensions define, byte for byte", async () => {
    const answer = await ask(v1.ServerReflection, symbol("hello_world.Greeter"));
    const [sayHello] = registryFrom(answer).getService("hello_world.Greeter")?.methods ?? [];
    if (sayHello === undefined) throw new Error("no such method");
    expect(getOption(sayHello, http)).toMatchObject({
      pattern: { case: "post", value: "/v1/example/echo" },
      body: "*",
    });
    // Field 72295728 of MethodOptions, 21 bytes: field 7 (body) "*", field 4 (post) "/v1/example/echo".
    const rule = Buffer.from("\x82\xd3\xe4\x93\x02\x15\x3a\x01*\x22\x10/v1/example/echo", "latin1");
    expect(Buffer.from(bytesIn(answer)[0] ?? []).includes(rule)).toBe(true);
  });

  test("hold the nearest of several copies of an import, and only that", async () => {
    const copy = { ...file_hello_world, proto: { ...file_hello_world.proto, syntax: "copied" } };
    const bare = serviceOf("BareService");
    const importer = { ...bare, file: { ...bare.file, dependencies: [copy, file_hello_world] } };
    const requests = [{ messageRequest: filename("bare.proto") }];
    const [response] = await converse(v1.ServerReflection, requests, [importer, Greeter]);
    const files = filesIn(response?.messageResponse ?? { case: undefined });
    expect(files.map(({ name }) => name)).toEqual(["bare.proto", ...greeterFiles]);
    expect(files.filter(({ syntax }) => syntax === "copied")).toHaveLength(1);
  });
});

/** A service whose file imports three files of 1.8 MB each. */
function createHeavyService(): DescService {
  const names = ["first", "second", "third"];
  const imports = names.map((name) => ({
    name: `heavy/${name}.proto`,
    package: "heavy",
    messageType: [
      {
        name,
        field: Array.from({ length: 2000 }, (_, i) => ({
          name: "f".repeat(900) + i,
          number: i + 1,
          type: 9,
          label: 1,
        })),
      },
    ],
  }));
  const messageType = [
    {
      name: "Ask",
      field: names.map((name, i) => ({ name, number: i + 1, type: 11, label: 1, typeName: `.heavy.${name}` })),
    },
  ];
  const method = [{ name: "Do", inputType: ".heavy.Ask", outputType: ".heavy.Ask" }];
  const dependency = imports.map(({ name }) => name);
  const own = {
    name: "heavy/own.proto",
    package: "heavy",
    dependency,
    messageType,
    service: [{ name: "Heavy", method }],
  };
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [...imports, own] })).getService(
    "heavy.Heavy",
  );
  if (service === undefined) throw new Error("no such service");
  return service;
}

test("imports that do not fit into 4 MiB are omitted, and can be requested by name", async () => {
  const heavy = createHeavyService();
  const requests = [symbol("heavy.Heavy"), filename("heavy/third.proto")].map((messageRequest) => ({ messageRequest }));
  const responses = await converse(v1.ServerReflection, requests, [heavy]);
  for (const response of responses) {
    expect(toBinary(v1.ServerReflectionResponseSchema, response).length).toBeLessThan(4 * 1024 * 1024);
  }
  expect(responses.map(({ messageResponse }) => filesIn(messageResponse).map(({ name }) => name))).toEqual([
    ["heavy/own.proto", "heavy/first.proto", "heavy/second.proto"],
    ["heavy/third.proto"],
  ]);
});

test("a request gets the services that are served when it comes", async () => {
  let served: readonly DescService[] = [Greeter];
  const transport = createRouterTransport(reflectionRoutes(() => served));
  const listed = async (service: (typeof versions)[number]["service"]) => {
    const requests = stream([{ messageRequest: listServices("") }, { messageRequest: listServices("") }]);
    const responses = await collect(createClient(service, transport).serverReflectionInfo(requests));
    return responses.map(({ messageResponse }) => messageResponse.value);
  };
  const list = { service: [{ name: "hello_world.Greeter" }] };
  const longer = { service: [...list.service, { name: "manywire.test.v1.TestService" }] };
  for (const { service } of versions) expect(await listed(service)).toMatchObject([list, list]);
  served = [Greeter, TestService, Greeter];
  for (const { service } of versions) expect(await listed(service)).toMatchObject([longer, longer]);
});

test("a stream without a request ends without a response", async () => {
  expect(await converse(v1.ServerReflection, [])).toEqual([]);
});
