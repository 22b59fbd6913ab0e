import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ServerReflection as V1 } from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as V1Alpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { reflectionRoutes } from "../../../server/reflection/reflection.js";
import { readSchema } from "../../../server/upstream/reflection-client.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
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
      router.rpc(other.method.serverReflectionInfo, unimplemented);
    });
    expect(services).toEqual(["hello_world.Greeter", "manywire.test.v1.TestService"]);
    expect(files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["hello_world.proto", "manywire/test/v1/test.proto"]),
    );
  });

  test("is asked for imports that did not come along, and may lack them", async () => {
    const asked: string[] = [];
    const file = create(FileDescriptorProtoSchema, {
      name: "a.proto",
      package: "acme",
      syntax: "proto3",
      dependency: ["b.proto", "c.proto", "google/api/http.proto"],
      service: [{ name: "A" }],
    });
    const { files } = await read((router) =>
      router.service(V1, {
        async *serverReflectionInfo(requests) {
          for await (const { messageRequest } of requests) {
            asked.push(`${messageRequest.case} ${messageRequest.value}`);
            const found = (proto: typeof file) => ({
              messageResponse: {
                case: "fileDescriptorResponse" as const,
                value: { fileDescriptorProto: [toBinary(FileDescriptorProtoSchema, proto)] },
              },
            });
            if (messageRequest.case === "listServices") {
              const service = [{ name: "acme.A" }, { name: "grpc.health.v1.Health" }];
              yield { messageResponse: { case: "listServicesResponse" as const, value: { service } } };
            } else if (messageRequest.value === "acme.A") yield found(file);
            else if (messageRequest.value === "b.proto") yield found({ ...file, name: "b.proto", dependency: [] });
            else {
              const value = { errorCode: Code.NotFound, errorMessage: "no such file" };
              yield { messageResponse: { case: "errorResponse" as const, value } };
            }
          }
        },
      }),
    );
    expect(asked).toEqual([
      "listServices ",
      "fileContainingSymbol acme.A",
      "fileByFilename b.proto",
      "fileByFilename c.proto",
    ]);
    expect(files.map(({ name }) => name)).toEqual(["a.proto", "b.proto"]);
  });
});

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
async function* unimplemented(): AsyncGenerator<never> {
  throw new ConnectError("not here", Code.Unimplemented);
}
