// With `codeGeneration: false`, neither server nor client makes code from strings; messages are the same.
import { createClient } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTransport, protocols } from "../../client/index.js";
import { Greeter } from "../../gen/hello_world_pb.js";
import { messagesBeforeCode } from "../../server/codec/code-threshold.js";
import { greeter } from "../../server/greeter.js";
import { createServer } from "../../server/index.js";

let functionsMade: string[];

beforeEach(() => {
  functionsMade = [];
  const construct = (target: FunctionConstructor, [...args]: string[]) => {
    functionsMade.push(args.at(-1) ?? "");
    return Reflect.construct(target, args);
  };
  vi.stubGlobal("Function", new Proxy(Function, { construct }));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

async function greet(
  protocol: (typeof protocols)[number],
  useBinaryFormat: boolean,
  codeGeneration: boolean,
): Promise<string> {
  const routes = (router: Parameters<Parameters<typeof createServer>[0]["routes"]>[0]) =>
    router.service(Greeter, greeter);
  await using server = createServer({ routes, port: 0, codeGeneration });
  await server.listen();
  using transport = createTransport({ protocol, baseUrl: server.url, useBinaryFormat, codeGeneration });
  const client = createClient(Greeter, transport);
  let message = "";
  for (let calls = 0; calls <= messagesBeforeCode; calls++) ({ message } = await client.sayHello({ name: "Ada" }));
  // The route of this method has a body in which the message is.
  await client.sayHelloAgain({ name: "Ada" });
  return message;
}

// Code of a type is made once in a process: these come first.
describe.each([true, false])("without code from strings, binary: %s", (useBinaryFormat) => {
  test.each(protocols)("%s has the same messages", async (protocol) => {
    expect(await greet(protocol, useBinaryFormat, false)).toBe("Hello, Ada!");
    expect(functionsMade).toEqual([]);
  });
});

describe("with code from strings", () => {
  test("it is made of types that are used often, and printed if their names are in MANYWIRE_PRINT_CODE", async () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    vi.stubEnv("MANYWIRE_PRINT_CODE", "hello_world.HelloReply");
    expect(await greet("grpc", true, true)).toBe("Hello, Ada!");
    const printed = write.mock.calls.map(([text]) => String(text));
    write.mockRestore();
    expect(functionsMade.length).toBeGreaterThan(printed.length);
    expect(printed.map((text) => text.split("\n").slice(0, 2))).toEqual(
      expect.arrayContaining([
        ["// hello_world.HelloReply.write", "return function write(message) {"],
        ["// hello_world.HelloReply.create", "function Message() {"],
      ]),
    );
    expect(printed.join("")).not.toContain("hello_world.HelloRequest");
  });
});
