import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ServerReflection as V1 } from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as V1Alpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { reflectionRoutes } from "../../../server/reflection/reflection.js";
import { readSchema } from "../../../server/upstream/reflection-client.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import {
  craftFile,
  craftService,
  errorAnswer,
  filesAnswer,
  type Reflector,
  reflectFiles,
  reflectionOf,
  serialise,
  servicesAnswer,
  unimplemented,
} from "../../support/crafted-schema.js";
import { failureOf } from "../../support/outcome.js";

const known = (name: string) => name.startsWith("google/");
const read = (routes: (router: ConnectRouter) => void) =>
  readSchema(createRouterTransport(routes), known, new AbortController().signal);

describe("a server with reflection", () => {
  test.each(["v1", "v1alpha"])("is read by %s", async (version) => {
    const { services, files } = await read((router) => {
      // Registers both versions; the other one is taken away again.
      reflectionRoutes(() => [Greeter, TestService, V1])(router);
      const other = version === "v1" ? V1Alpha : V1;
      router.rpc(other.method.serverReflectionInfo, refuse);
    });
    expect(services).toEqual(["hello_world.Greeter", "manywire.test.v1.TestService"]);
    expect(files.map(({ proto }) => proto.name)).toEqual(
      expect.arrayContaining(["hello_world.proto", "manywire/test/v1/test.proto"]),
    );
  });

  test("is asked for imports that did not come along, and may lack them", async () => {
    const asked: string[] = [];
    const a = craftFile("a.proto", {
      dependency: ["b.proto", "c.proto", "google/api/http.proto"],
      service: [{ name: "A" }],
    });
    const { files } = await read(
      reflectionOf((question) => {
        asked.push(`${question.case} ${question.value}`);
        return reflectFiles(a, craftFile("b.proto"))(question);
      }),
    );
    expect(asked).toEqual([
      "listServices ",
      "fileContainingSymbol acme.A",
      "fileByFilename b.proto",
      "fileByFilename c.proto",
    ]);
    expect(files.map(({ proto }) => proto.name)).toEqual(["a.proto", "b.proto"]);
  });
});

describe("a server that", () => {
  const good = craftService({ file: "good.proto", package: "good", methods: ["Do"] });
  const bad = craftFile("bad.proto", { service: [{ name: "Bad" }] });
  const limits = { bytes: 100_000, files: 50, timeoutMs: 300 };
  const readFrom = (reflect: Reflector) =>
    readSchema(createRouterTransport(reflectionOf(reflect)), known, new AbortController().signal, limits);
  /** Responds as the server of both files, but for the service acme.Bad, or another question. */
  const except =
    (answer: Reflector, value: unknown = "acme.Bad"): Reflector =>
    (asked) =>
      asked.value === value ? answer(asked) : reflectFiles(good, bad)(asked);

  test.each<[string, Reflector, string]>([
    ["fails for one service", () => errorAnswer("oh"), 'the server says: "oh"'],
    ["answers another question", () => servicesAnswer("x"), 'unexpected "listServicesResponse" of the server'],
    ["answers nothing", () => ({ case: undefined }) as never, "unexpected empty response of the server"],
    ["gives another file", () => filesAnswer(craftFile("other.proto")), "the server gives a file without it"],
    ["gives no file", () => filesAnswer(), "the server gives a file without it"],
    ["gives what is no file", () => filesAnswer(Uint8Array.of(255)), "the server gives a malformed file: "],
    ["nests messages too deeply", () => filesAnswer(nested(bad, 10_000)), "the server gives a malformed file: "],
  ])("%s loses that one alone", async (_, answer, problem) => {
    const { services, files, problems } = await readFrom(except(answer));
    expect(services).toEqual(["good.Service", "acme.Bad"]);
    expect(files.map(({ proto }) => proto.name)).toContain("good.proto");
    expect([...problems]).toEqual([["acme.Bad", expect.stringContaining(problem)]]);
  });

  test("lists a service twice, and tools, is asked once", async () => {
    const asked: unknown[] = [];
    const list = servicesAnswer("acme.Bad", "grpc.health.v1.Health", "acme.Bad");
    await readFrom((question) => {
      asked.push(question.value);
      return question.case === "listServices" ? list : reflectFiles(bad)(question);
    });
    expect(asked).toEqual(["", "acme.Bad"]);
  });

  test.each<[string, Reflector, Code, string]>([
    ["fails for the list", except(() => errorAnswer("oh", 7), ""), 7, 'list of services: the server says: "oh"'],
    ["answers the list with files", except(() => filesAnswer(good), ""), Code.Internal, "fileDescriptorResponse"],
    ["never answers", () => new Promise(() => {}), Code.DeadlineExceeded, ""],
    ["never answers for one file", except(() => new Promise(() => {})), Code.DeadlineExceeded, ""],
    ["has files without end", endless, Code.ResourceExhausted, "at most 100000 bytes in 50 files"],
    [
      "has too many bytes",
      except(() => filesAnswer(large)),
      Code.ResourceExhausted,
      "at most 100000 bytes in 50 files",
    ],
    ["lists too many services", except(manyServices, ""), Code.ResourceExhausted, "at most 100000 bytes in 50 files"],
  ])("%s is refused", async (_, reflect, code, text) => {
    const error = await failureOf(readFrom(reflect));
    expect([error.code, error.rawMessage]).toEqual([code, expect.stringContaining(text)]);
  });

  test.each<[string, ConnectError]>([
    ["UNIMPLEMENTED", unimplemented],
    ["UNAVAILABLE", new ConnectError("no healthy upstream", Code.Unavailable)],
    ["UNKNOWN, as after an HTTP error", new ConnectError("HTTP 502", Code.Unknown)],
  ])("refuses v1 with %s is asked by v1alpha", async (_, v1) => {
    const transport = createRouterTransport(reflectionOf(reflectFiles(good), { v1 }));
    const { services } = await readSchema(transport, known, new AbortController().signal);
    expect(services).toEqual(["good.Service"]);
  });

  test("refuses both is refused with what it says to v1, unless that is UNIMPLEMENTED", async () => {
    const denied = new ConnectError("denied", Code.PermissionDenied);
    const readOf = (refusals: Parameters<typeof reflectionOf>[1]) =>
      failureOf(
        readSchema(createRouterTransport(reflectionOf(endless, refusals)), known, new AbortController().signal),
      );
    expect((await readOf({ v1: denied, v1alpha: unimplemented })).code).toBe(Code.PermissionDenied);
    expect((await readOf({ v1: unimplemented, v1alpha: denied })).code).toBe(Code.PermissionDenied);
  });
});

/** Each file imports one more. */
const endless: Reflector = ({ case: question, value }) => {
  if (question === "listServices") return servicesAnswer("acme.S");
  const number = question === "fileByFilename" ? Number.parseInt(String(value), 10) : 0;
  const service = number === 0 ? [{ name: "S" }] : [];
  return filesAnswer(craftFile(`${number}.proto`, { dependency: [`${number + 1}.proto`], service }));
};
const manyServices: Reflector = () => servicesAnswer(...Array.from({ length: 100 }, (_, at) => `acme.S${at}`));
const large = craftFile("large.proto", { messageType: [{ name: "M".repeat(200_000) }] });

/** A file with messages inside each other. */
function nested(file: FileDescriptorProto, depth: number): Uint8Array {
  let message: Uint8Array = Uint8Array.of();
  for (let level = 0; level < depth; level++) {
    const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string("M");
    message = writer.tag(3, WireType.LengthDelimited).bytes(message).finish();
  }
  return Uint8Array.of(
    ...serialise(file),
    ...new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(message).finish(),
  );
}

test("a server without reflection is said to have none", async () => {
  const error = await failureOf(read((router) => router.service(Greeter, {})));
  expect(error.code).toBe(Code.Unimplemented);
});

test("a stream that ends without a response is an error", async () => {
  async function* silent() {}
  const routes = (router: ConnectRouter) => {
    for (const { method } of [V1, V1Alpha]) router.rpc(method.serverReflectionInfo, silent as never);
  };
  expect((await failureOf(read(routes))).rawMessage).toBe("reflection ended before its response");
});

// biome-ignore lint/correctness/useYield: it fails before it has anything to yield.
async function* refuse(): AsyncGenerator<never> {
  throw unimplemented;
}
