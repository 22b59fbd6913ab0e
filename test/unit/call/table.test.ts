import { ConnectError, type ConnectRouterOptions, type Interceptor } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createMethodTable } from "../../../server/call/table.js";
import { toUniversalHandler } from "../../../server/reference/universal-handler.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { serviceOf } from "../../support/shelf.js";

const interceptor = (): Interceptor => (next) => (request) => next(request);

function methodOf(server: ConnectRouterOptions, service?: ConnectRouterOptions) {
  const table = createMethodTable(server, toUniversalHandler);
  table.router.service(Greeter, {}, service);
  const method = table.methods.get("/hello_world.Greeter/SayHello");
  if (method === undefined) throw new Error("the method is not in the table");
  return method;
}

describe("the table of methods", () => {
  test("has every method of a service, those without an implementation too", () => {
    const table = createMethodTable({}, toUniversalHandler);
    table.router.service(Greeter, { sayHello: () => ({}) }).service(TestService, {});
    expect([...table.methods.keys()]).toEqual([
      "/hello_world.Greeter/SayHello",
      "/hello_world.Greeter/SayHelloAgain",
      ...["Unary", "Get", "ServerStream", "ClientStream", "BidiStream", "Missing"].map(
        (name) => `/manywire.test.v1.TestService/${name}`,
      ),
    ]);
    expect(table.services).toEqual([Greeter, TestService]);
  });

  test("takes single methods, and counts their service once", () => {
    const table = createMethodTable({}, toUniversalHandler);
    table.router.rpc(Greeter.method.sayHello, () => ({})).rpc(Greeter.method.sayHelloAgain, () => ({}));
    expect(table.methods.size).toBe(2);
    expect(table.services).toEqual([Greeter]);
  });

  test("has a service without methods", () => {
    const table = createMethodTable({}, toUniversalHandler);
    table.router.service(serviceOf("shelf.Empty"), {});
    expect([table.methods.size, table.services]).toEqual([0, [serviceOf("shelf.Empty")]]);
  });

  test("keeps the last of what is registered twice", () => {
    const table = createMethodTable({}, toUniversalHandler);
    for (const which of ["first", "last"]) table.router.service(Greeter, { sayHello: () => ({ message: which }) });
    const impl = table.methods.get("/hello_world.Greeter/SayHello")?.spec.impl as () => { message: string };
    expect(impl()).toEqual({ message: "last" });
    expect(table.services).toEqual([Greeter]);
  });

  test("adds the interceptors of a service inside those of the server", () => {
    const [outer, inner] = [interceptor(), interceptor()];
    const { options } = methodOf({ interceptors: [outer] }, { interceptors: [inner] });
    expect(options.interceptors).toEqual([outer, inner]);
    expect(methodOf({ interceptors: [outer] }).options.interceptors).toEqual([outer]);
  });

  test("takes a service's limits instead of the server's, and the server's where it has none", () => {
    const server = { readMaxBytes: 100, writeMaxBytes: 200, maxTimeoutMs: 300 };
    expect(methodOf(server, { readMaxBytes: 1 }).options).toMatchObject({ ...server, readMaxBytes: 1 });
  });

  const switches: [server: ConnectRouterOptions, service: ConnectRouterOptions | undefined, left: string[]][] = [
    [{}, undefined, ["grpc", "grpc-web", "connect"]],
    [{ grpc: false }, undefined, ["grpc-web", "connect"]],
    [{}, { connect: false, grpcWeb: false }, ["grpc"]],
    [{ grpc: false }, { grpc: true, connect: false }, ["grpc-web"]],
    [{ grpc: true, connect: false }, {}, ["grpc", "grpc-web"]],
  ];
  test("never brings back a protocol that is off", () => {
    for (const [server, service, left] of switches) expect([...methodOf(server, service).protocols]).toEqual(left);
  });

  test("refuses a method without any protocol", () => {
    const register = () => methodOf({ grpc: false }, { grpcWeb: false, connect: false });
    expect(register).toThrow("[invalid_argument] /hello_world.Greeter/SayHello: all protocols are switched off");
    expect(register).toThrow(ConnectError);
  });

  test("refuses a limit that is out of range", () => {
    for (const name of ["readMaxBytes", "writeMaxBytes"]) {
      for (const value of [0, -1, 2 ** 33]) {
        const text = `${name} ${value} must be >= 1 and <= 4294967295`;
        expect(() => methodOf({}, { [name]: value })).toThrow(text);
        expect(() => methodOf({ [name]: value })).toThrow(text);
      }
    }
  });

  test("has handlers as Connect's own router does", () => {
    const { router } = createMethodTable({ grpc: false }, toUniversalHandler);
    router.service(Greeter, {});
    expect(router.handlers.map(({ requestPath, protocolNames }) => [requestPath, protocolNames])).toEqual([
      ["/hello_world.Greeter/SayHello", ["grpc-web", "connect"]],
      ["/hello_world.Greeter/SayHelloAgain", ["grpc-web", "connect"]],
    ]);
  });

  test("makes Connect's handler for one method, without what is switched off", () => {
    const handler = toUniversalHandler(methodOf({ connect: false }));
    expect([handler.requestPath, handler.protocolNames]).toEqual([
      "/hello_world.Greeter/SayHello",
      ["grpc", "grpc-web"],
    ]);
  });
});
