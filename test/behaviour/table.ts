// Runs a table of behaviours over every combination. A behaviour is written once, and gets the
// functions that make a call.
import { type Client, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, test } from "vitest";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { serverIdentity } from "../support/certificates.js";
import {
  beginRequest,
  type Connection,
  type OpenRequest,
  openConnection,
  type RawAnswer,
  type RawRequest,
} from "../support/http.js";
import { startServer, type TestServer, type TestServerOptions } from "../support/server.js";
import { type Combination, type Exception, isExcepted, places, routesAt } from "./combinations.js";
import { type ClientOptions, type OpenTransport, openTransport } from "./transport.js";
import {
  contentType,
  type Encoding,
  encodeBody,
  encodingHeaders,
  type Outcome,
  type RequestInit,
  readOutcome,
} from "./wire.js";

export type TestClient = Client<typeof TestService>;
export type MethodName = keyof typeof TestService.method;

/** What a behaviour gets. */
export interface Scene extends Combination {
  readonly server: TestServer;
  /** A client that all behaviours of the combination share, with its connections. */
  readonly client: TestClient;
  /** A text that no other behaviour has. */
  readonly text: string;
  /** Opens another client, with connections of its own. It is closed after the behaviour. */
  connect(options?: ClientOptions): TestClient & { close(): void };
  /** Makes the head and body of a call by hand. Bytes are taken as a message that is serialised already. */
  prepare(
    method: MethodName,
    requests: (RequestInit | Uint8Array)[],
    options?: RawOptions,
  ): RawRequest & { body: Buffer };
  /** Sends a request by hand, on a connection that all behaviours of the combination share, and returns the raw response. */
  send(request: RawRequest): Promise<RawAnswer>;
  /** Begins a request by hand. It is cut after the behaviour. */
  begin(request: Omit<RawRequest, "body">): Promise<OpenRequest>;
  /** Reads the response to a call of the method. */
  read(method: MethodName, answer: RawAnswer): Outcome;
}

interface RawOptions {
  readonly headers?: Record<string, string | string[]>;
  readonly encoding?: Encoding;
}

/** One thing that is true of every combination but the exceptions. */
export interface Behaviour {
  /** A true sentence. */
  readonly title: string;
  readonly except?: readonly Exception[];
  /** Whether it waits for time to pass. It then runs together with others that do. */
  readonly isSlow?: boolean;
  run(scene: Scene): Promise<void>;
}

/** Runs behaviours against servers with the options: one server for each place, which all its routes share. */
export function describeBehaviours(options: TestServerOptions, behaviours: readonly Behaviour[]): void {
  refuseIdle(behaviours);
  for (const place of places) {
    const hasAny = routesAt(place).some((route) => possibleAt({ ...place, ...route }, behaviours).length > 0);
    if (!hasAny) continue;
    describe(`${place.lane} lane, ${place.security}${place.http2 === "node" ? ", HTTP/2 of Node" : ""}`, () => {
      let server: TestServer;
      beforeAll(async () => {
        const tls = place.security === "TLS" ? serverIdentity : undefined;
        server = await startServer({ fastLane: place.lane === "fast", http2: place.http2, tls, ...options });
      });
      afterAll(() => server[Symbol.asyncDispose]());
      for (const route of routesAt(place)) describeRoute({ ...place, ...route }, behaviours, () => server);
    });
  }
}

/** The behaviours without an exception for the combination. */
function possibleAt(combination: Combination, behaviours: readonly Behaviour[]): readonly Behaviour[] {
  return behaviours.filter(({ except = [] }) => !except.some((exception) => isExcepted(combination, exception)));
}

function describeRoute(combination: Combination, behaviours: readonly Behaviour[], server: () => TestServer): void {
  const possible = possibleAt(combination, behaviours);
  if (possible.length === 0) return;
  const { wire, codec, httpVersion } = combination;
  describe(`${wire}, ${codec}, HTTP/${httpVersion}`, () => {
    let clients: Clients;
    beforeAll(() => {
      const { url } = server();
      clients = { transport: openTransport(url, combination), connection: openConnection(url, httpVersion) };
    });
    afterAll(async () => {
      clients.transport.close();
      await clients.connection[Symbol.asyncDispose]();
    });
    for (const { title, isSlow = false, run } of possible) {
      test(title, { concurrent: isSlow }, async ({ onTestFinished }) => {
        await run(createScene(combination, server(), clients, onTestFinished));
      });
    }
  });
}

/** What the behaviours of one combination share. */
interface Clients {
  readonly transport: OpenTransport;
  readonly connection: Connection;
}

let scenes = 0;

function createScene(
  combination: Combination,
  server: TestServer,
  { transport, connection }: Clients,
  onTestFinished: (clean: () => void | PromiseLike<void>) => void,
): Scene {
  const { wire, codec, httpVersion } = combination;
  scenes++;
  return {
    ...combination,
    server,
    client: createClient(TestService, transport),
    text: `scene ${scenes}`,
    connect(options) {
      const own = openTransport(server.url, combination, options);
      onTestFinished(() => own.close());
      return Object.assign(createClient(TestService, own), { close: () => own.close() });
    },
    prepare(name, requests, { headers, encoding } = {}) {
      const method = TestService.method[name];
      return {
        path: `/${TestService.typeName}/${method.name}`,
        headers: {
          "content-type": contentType(wire, codec, method),
          ...(encoding && { [encodingHeaders(wire, method).encoding]: encoding }),
          ...headers,
        },
        body: encodeBody(wire, codec, method, requests, encoding),
      };
    },
    send: (raw) => connection.request(raw),
    async begin(raw) {
      const open = await beginRequest(server.url, { httpVersion, ...raw });
      onTestFinished(() => open[Symbol.asyncDispose]());
      return open;
    },
    read: (name, answer) => readOutcome(wire, codec, TestService.method[name], answer),
  };
}

/** An exception from nothing is a mistake, or has become one. */
function refuseIdle(behaviours: readonly Behaviour[]): void {
  const all = places.flatMap((place) => routesAt(place).map((route) => ({ ...place, ...route })));
  for (const { title, except = [] } of behaviours) {
    for (const exception of except) {
      if (!all.some((combination) => isExcepted(combination, exception))) {
        throw new Error(`${title}: the exception ${JSON.stringify(exception)} matches nothing`);
      }
    }
  }
}
