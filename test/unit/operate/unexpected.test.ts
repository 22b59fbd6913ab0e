import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient, createTransport, protocols } from "../../../client/index.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createServer, type ServerOptions } from "../../../server/index.js";
import { writeUnexpected } from "../../../server/operate/unexpected.js";

function watchConsole(): () => string {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => error.mockRestore());
  return () => error.mock.calls.map(([text]) => `${text}\n`).join("");
}

const lanes = [true, false].flatMap((fastLane) => protocols.map((protocol) => ({ fastLane, protocol })));

describe.each(lanes)("a server without an observer, %j", ({ fastLane, protocol }) => {
  async function call(thrown: unknown, options: Partial<ServerOptions> = {}): Promise<ConnectError> {
    const sayHello = () => {
      throw thrown;
    };
    const server = createServer({
      ...options,
      port: 0,
      fastLane,
      routes: (router) => router.service(Greeter, { sayHello }),
    });
    await server.listen();
    const transport = createTransport({ protocol, baseUrl: server.url });
    try {
      const client = createClient(Greeter, transport);
      return await client.sayHello({}).then(() => Promise.reject(new Error("no error")), ConnectError.from);
    } finally {
      transport.close();
      await server.close();
    }
  }

  test("writes the stack of an unexpected error, of which the client learns nothing", async () => {
    const written = watchConsole();
    const error = await call(new TypeError("secret"));
    expect([error.code, error.rawMessage]).toEqual([Code.Internal, "internal error"]);
    expect(written()).toMatch(/^hello_world\.Greeter\/SayHello ended with internal: TypeError: secret\n +at .*\n/);
    expect(written().match(/ended with/g)).toHaveLength(1);
  });

  test("does not write errors that the handler made for its client", async () => {
    const written = watchConsole();
    await call(new ConnectError("no such name", Code.NotFound));
    await call(new ConnectError("broken", Code.Internal));
    expect(written()).toBe("");
  });

  test("writes nothing where there is an observer", async () => {
    const written = watchConsole();
    await call(new TypeError("secret"), { onCall: () => {} });
    expect(written()).toBe("");
  });
});

test("causes are written, but not what hangs on an error", () => {
  const written = watchConsole();
  const cause = Object.assign(new Error("outer", { cause: new RangeError("inner") }), {
    headers: { cookie: "s3cret" },
  });
  writeUnexpected("/a.B/C", new ConnectError("x", Code.Internal, undefined, undefined, cause));
  expect(written()).toMatch(/^a\.B\/C ended with internal: Error: outer\n.*\n {2}\[cause\]: RangeError: inner\n/s);
  expect(written()).not.toContain("s3cret");
});

const unprintable = {
  toString() {
    throw new Error("x");
  },
};

test.each([
  ["text", () => "text", "the thrown value text"],
  ["an object that has no text", () => unprintable, "a value that cannot be described was thrown"],
])("a thrown value that is not an Error is named: %s", (_, create, text) => {
  const written = watchConsole();
  writeUnexpected("/a.B/C", new ConnectError("x", Code.Unknown, undefined, undefined, create()));
  expect(written()).toBe(`a.B/C ended with unknown: ${text}\n`);
});

test("causes in a cycle come to an end", () => {
  const written = watchConsole();
  const cause = new Error("round");
  cause.cause = cause;
  writeUnexpected("/a.B/C", new ConnectError("x", Code.Internal, undefined, undefined, cause));
  expect(written().match(/\[cause\]/g)).toHaveLength(8);
});
