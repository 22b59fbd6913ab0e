// Servers with interceptors that decide who may call: own services in both lanes, and forwarded ones; and calls of all kinds.
import type { CallOptions, ConnectError, Interceptor } from "@connectrpc/connect";
import { afterAll, beforeAll, describe } from "vitest";
import type { ServerOptions } from "../../server/index.js";
import { collect, each } from "../support/outcome.js";
import { startServer, type TestServer, type TestServerOptions } from "../support/server.js";
import { openWay, testRules, type Way, ways } from "../support/ways.js";
import { startProxyBefore } from "./proxy.js";

type TestClient = ReturnType<typeof openWay>["client"];

/** A server that interceptors guard. */
export interface Guarded extends AsyncDisposable {
  readonly url: string;
  /** The server whose handlers are called. */
  readonly target: TestServer;
}

/** How a guarded server serves the test service. */
export const kinds = ["own", "own, reference lane", "forwarded"] as const;
export type Kind = (typeof kinds)[number];

/** Starts a server with the interceptors. To be disposed. */
export async function startGuarded(
  kind: Kind,
  interceptors: Interceptor[],
  options: TestServerOptions = {},
): Promise<Guarded> {
  if (kind === "forwarded") return startForwarding(interceptors, options);
  const target = await startServer({
    ...{ interceptors, httpRules: testRules, fastLane: kind === "own" },
    ...options,
  });
  return { url: target.url, target, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() };
}

async function startForwarding(
  interceptors: Interceptor[],
  { implementation: _, service, ...options }: TestServerOptions,
): Promise<Guarded> {
  const target = await startServer(service && { service });
  const others = options as Partial<ServerOptions>;
  const proxy = await startProxyBefore([target.url], { interceptors, httpRules: testRules, ...others });
  return {
    url: proxy.url,
    target,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await target[Symbol.asyncDispose]();
    },
  };
}

/** A call of one kind. Resolves when it has ended well. */
export type Call = (client: TestClient, text: string, options?: CallOptions) => Promise<unknown>;

export const calls: Readonly<Record<string, Call>> = {
  unary: (client, text, options) => client.unary({ text }, options),
  "server-streaming": (client, text, options) => collect(client.serverStream({ text, count: 2 }, options)),
  "client-streaming": (client, text, options) => client.clientStream(each({ text }, { text }), options),
};

/** What callers see of a refusal: code, text, and the challenge. */
export function refusalOf({ code, rawMessage, metadata }: ConnectError): unknown[] {
  return [code, rawMessage, metadata.get("www-authenticate")];
}

/** Runs tests for each kind of guarded server and each protocol. */
export function describeGuarded(
  createInterceptors: () => Interceptor[] | Promise<Interceptor[]>,
  run: (open: () => ReturnType<typeof openWay>, guarded: () => Guarded, way: Way, kind: Kind) => void,
  options: TestServerOptions = {},
): void {
  describe.each(kinds)("%s", (kind) => {
    let guarded: Guarded;
    beforeAll(async () => {
      guarded = await startGuarded(kind, await createInterceptors(), options);
    });
    afterAll(() => guarded[Symbol.asyncDispose]());
    describe.each(Object.entries(ways))("%s", (_, way) => {
      run(
        () => openWay(guarded.url, way),
        () => guarded,
        way,
        kind,
      );
    });
  });
}
