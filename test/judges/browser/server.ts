// Starts the built server for a browser, with the Greeter and the services that tests have.
import { join } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { inject } from "vitest";
import { descriptors as greeterComments } from "../../../gen/hello_world_descriptors.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { greeter } from "../../../server/greeter.js";
import type { Server, ServerOptions } from "../../../server/index.js";
import { descriptors as testComments } from "../../gen/manywire/descriptors.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { serverIdentity } from "../../support/certificates.js";
import { routeDepot } from "../../support/depot.js";
import { echoing } from "../../support/rest-service.js";
import { SeenCalls } from "../../support/seen-calls.js";
import { createTestService } from "../../support/service.js";

/** A server that listens. To be disposed. */
export interface BuiltServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenCalls;
}

/** Serves what the command serves. */
export function startGreeter(options: Partial<ServerOptions> = {}): Promise<BuiltServer> {
  return start((router) => router.service(Greeter, greeter), { docs: { descriptorSet: greeterComments }, ...options });
}

/** Serves the services of the tests. The method that has a route at `/` is not among them: the page would give way. */
export function startTestServices(options: Partial<ServerOptions> = {}): Promise<BuiltServer> {
  const { template: _, ...others } = echoing;
  const docs = { descriptorSet: testComments };
  return start(
    (router, seen) => {
      router.service(TestService, createTestService(seen));
      routeDepot(router);
      for (const [name, implementation] of Object.entries(others)) {
        router.rpc(RestService.method[name as keyof typeof others] as never, implementation as never);
      }
    },
    { docs, ...options },
  );
}

/** The same with TLS, where browsers speak HTTP/2. */
export function startSecure(options: Partial<ServerOptions> = {}): Promise<BuiltServer> {
  return startTestServices({ tls: serverIdentity, ...options });
}

async function start(
  register: (router: ConnectRouter, seen: SeenCalls) => void,
  options: Partial<ServerOptions>,
): Promise<BuiltServer> {
  const { createServer } = await import(join(inject("stage"), "dist/server/index.js"));
  const seen = new SeenCalls();
  const routes = (router: ConnectRouter) => register(router, seen);
  const server: Server = createServer({ port: 0, drainTimeoutMs: 100, routes, ...options });
  await server.listen();
  return { url: server.url, seen, [Symbol.asyncDispose]: () => server.close() };
}
