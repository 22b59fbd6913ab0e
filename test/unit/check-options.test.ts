import { describe, expect, expectTypeOf, test } from "vitest";
import { Greeter } from "../../gen/hello_world_pb.js";
import { createServer, type ServerOptions } from "../../server/index.js";
import { resolveOptions } from "../../server/options.js";
import { didYouMean } from "../../server/suggest.js";

const routes = () => {};

/** As a program in JavaScript calls it. */
const create = (options: unknown) => () => createServer(options as ServerOptions);

describe("an option that is wrong is named", () => {
  test.each<[options: unknown, message: string]>([
    [{ routes, drainTimeout: 1 }, 'unknown option "drainTimeout": did you mean "drainTimeoutMs"?'],
    [{ routes, oncall: routes }, 'unknown option "oncall": did you mean "onCall"?'],
    [{ routes, loger: {} }, 'unknown option "loger": did you mean "logger"?'],
    [{ routes, logger: {} }, "logger: expected an object with a function error, found an object"],
    ...[true, {}, { start: 1 }, [routes, { end: "x" }]].map((onCall): [object, string] => [
      { routes, onCall },
      `onCall: expected a function, an object with the functions start or end, or an array of these, found ${Array.isArray(onCall) ? "an array" : onCall === true ? "true" : "an object"}`,
    ]),
    [{ routes, docs: { guard: true } }, "docs.guard: expected a function, found true"],
    [{ routes, limits: { headerByte: 1 } }, 'unknown option "limits.headerByte": did you mean "headerBytes"?'],
    [{ routes, rest: { emitDefault: true } }, 'unknown option "rest.emitDefault": did you mean "emitDefaults"?'],
    [{ routes, docs: { titel: "a" } }, 'unknown option "docs.titel": did you mean "title"?'],
    [{ routes, tls: { certificate: "" } }, 'unknown option "tls.certificate"'],
    [{ routes, drainTimeoutMs: "10s" }, 'drainTimeoutMs: expected a number of milliseconds, found "10s"'],
    [{ routes, port: "80" }, 'port: expected a number, found "80"'],
    [{ routes, host: null }, "host: expected a string, found null"],
    [{ routes, grpc: 0 }, "grpc: expected true or false, found 0"],
    [{ routes, interceptors: routes }, "interceptors: expected an array, found a function"],
    [{ routes, limits: [] }, "limits: expected an object, found an array"],
    [{ routes, docs: "on" }, 'docs: expected true, false or an object, found "on"'],
    [{ routes, cors: "*" }, 'cors: expected true, false or an object, found "*"'],
    [{ routes, cors: { origin: "*" } }, 'unknown option "cors.origin": did you mean "origins"?'],
    [{ routes, cors: { origins: 1 } }, "cors.origins: expected an origin, an array of origins, or a function, found 1"],
    [{ routes, cors: { origins: "*", methods: "GET" } }, 'cors.methods: expected an array, found "GET"'],
    [{ routes, docs: { descriptorSet: "x" } }, 'docs.descriptorSet: expected a Uint8Array, found "x"'],
    [{ routes, tls: { cert: 1 } }, "tls.cert: expected PEM, a string or a Buffer, found 1"],
    [{ routes, shutdownSignal: {} }, "shutdownSignal: expected an AbortSignal, found an object"],
    [
      { routes, upstreams: [{ url: "a:1", loadBalancer: "x" }] },
      'unknown option "upstreams[0].loadBalancer": did you mean "loadBalancing"?',
    ],
    [
      { routes, upstreams: [{ url: "a:1", maxConnections: "2" }] },
      'upstreams[0].maxConnections: expected a number, found "2"',
    ],
    [
      { routes, upstreams: [{ url: "a:1", loadBalancing: "random" }] },
      'upstreams[0].loadBalancing: expected pick_first, round_robin, least_pending, found "random"',
    ],
    [
      { routes, upstreams: [{ url: "a:1", addresses: ["a:b"] }] },
      'upstreams[0].addresses[0]: expected host:port or unix:/path, found "a:b"',
    ],
    [{}, "routes: expected a function (router) => void, found undefined"],
    [{ routes: {} }, "routes: expected a function (router) => void, found an object"],
  ])("%j", (options, message) => {
    expect(create(options)).toThrow(new TypeError(`createServer: ${message}`));
  });

  test.each([
    [undefined, "undefined"],
    [routes, "a function"],
  ])("where there are none: %s", (options, found) => {
    expect(create(options)).toThrow(new TypeError(`createServer: expected options, found ${found}`));
  });
});

describe("a handler that is wrong is named", () => {
  const register = (handlers: object) =>
    create({ routes: (router: { service: (...args: unknown[]) => void }) => router.service(Greeter, handlers) });

  test.each<[handlers: object, message: string]>([
    [
      { sayHelo: routes },
      'hello_world.Greeter: no method "sayHelo": did you mean "sayHello"? It has sayHello, sayHelloAgain.',
    ],
    [
      { SayHelloAgain: routes },
      'hello_world.Greeter: no method "SayHelloAgain": did you mean "sayHelloAgain"? It has sayHello, sayHelloAgain.',
    ],
    [{ greet: routes }, 'hello_world.Greeter: no method "greet". It has sayHello, sayHelloAgain.'],
    [{ sayHello: "hello" }, 'hello_world.Greeter.sayHello: expected a function, found "hello"'],
  ])("%o", (handlers, message) => {
    expect(register(handlers)).toThrow(new TypeError(message));
  });

  test("unless it is a method or a property of a class", () => {
    class Implementation {
      readonly helper = () => {};
      other() {}
    }
    expect(register(new Implementation())).not.toThrow();
  });

  test("unless it is `undefined`, or no function", () => {
    expect(register({ sayHello: undefined, count: 0 })).not.toThrow();
  });
});

test("every option may be undefined, and counts as not given then", () => {
  type Undefined<Options> = { [Name in keyof Options]?: undefined };
  type Optional = Omit<ServerOptions, "routes">;
  expectTypeOf<Undefined<Optional>>().toExtend<Optional>();
  expectTypeOf<Undefined<NonNullable<ServerOptions["limits"]>>>().toExtend<NonNullable<ServerOptions["limits"]>>();
  expectTypeOf<Undefined<NonNullable<ServerOptions["rest"]>>>().toExtend<NonNullable<ServerOptions["rest"]>>();
  const options: ServerOptions = {
    routes,
    readMaxBytes: undefined,
    grpc: undefined,
    limits: { headerBytes: undefined },
    rest: { patchMask: undefined },
    docs: { title: undefined },
  };
  expect(() => createServer(options)).not.toThrow();
  expect(resolveOptions(options)).toEqual({ ...resolveOptions({ routes }), docs: { title: undefined } });
});

test.each([
  ["timeoutMs", "timeoutM", ': did you mean "timeoutMs"?'],
  ["timeoutMs", "timeout", ': did you mean "timeoutMs"?'],
  ["port", "prot", ': did you mean "port"?'],
  ["port", "ports", ': did you mean "port"?'],
  ["port", "x".repeat(5000), ""],
])("of %s and %s the suggestion is %j", (known, name, suggestion) => {
  expect(didYouMean(name, [known])).toBe(suggestion);
});

test("a server can be disposed, which closes it", async () => {
  let url: string;
  {
    await using server = createServer({ routes, port: 0 });
    await server.listen();
    url = server.url;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  }
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});
