// Mutual TLS: the certificate that a client shows is there for handlers, over every protocol.
import type { PeerCertificate } from "node:tls";
import { createClient, type HandlerContext } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { createTransport, type Protocol, type TransportOptions } from "../../client/index.js";
import { peerCertificate } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import {
  authority,
  clientIdentity,
  renewedIdentity,
  serverIdentity,
  strangerIdentity,
} from "../support/certificates.js";
import { collect, failureOf } from "../support/outcome.js";
import { startServer, type TestServerOptions } from "../support/server.js";
import type { TestServiceImpl } from "../support/service.js";

/** The common name of who calls. */
const callerOf = ({ values }: HandlerContext) => String(values.get(peerCertificate)?.subject?.CN ?? "nobody");

const implementation: Partial<TestServiceImpl> = {
  unary: (_, context) => ({ text: callerOf(context) }),
  async *serverStream(_, context) {
    yield { text: callerOf(context) };
  },
};

const wires: [protocol: Protocol, httpVersion: "1.1" | "2"][] = [
  ["grpc", "2"],
  ["grpc-web", "1.1"],
  ["grpc-web", "2"],
  ["connect", "1.1"],
  ["connect", "2"],
];

const mutual: TestServerOptions = { implementation, tls: { ...serverIdentity, ca: authority } };

function open(baseUrl: string, options: Omit<TransportOptions, "baseUrl">) {
  const transport = createTransport({ ...options, baseUrl });
  return Object.assign(createClient(TestService, transport), { [Symbol.dispose]: () => transport.close() });
}

describe.each([true, false])("with the fast lane %s", (fastLane) => {
  test("a handler sees who calls, call after call on one connection", async () => {
    await using server = await startServer({ ...mutual, fastLane });
    for (const [protocol, httpVersion] of wires) {
      using client = open(server.url, { protocol, httpVersion, tls: { ca: authority, ...clientIdentity } });
      expect((await client.unary({})).text).toBe("client.localhost");
      expect((await client.unary({})).text).toBe("client.localhost");
      expect(await collect(client.serverStream({}))).toMatchObject([{ text: "client.localhost" }]);
    }
  });

  test("no client of an unknown authority gets in", async () => {
    await using server = await startServer({ ...mutual, fastLane });
    for (const [protocol, httpVersion] of wires) {
      for (const identity of [{}, strangerIdentity]) {
        using client = open(server.url, { protocol, httpVersion, tls: { ca: authority, ...identity } });
        await failureOf(client.unary({}));
      }
    }
    expect(server.finished).toEqual([]);
  });

  test("a handler sees no certificate, if the server asks for none", async () => {
    await using server = await startServer({ implementation, tls: serverIdentity, fastLane });
    for (const [protocol, httpVersion] of wires) {
      using client = open(server.url, { protocol, httpVersion, tls: { ca: authority, ...clientIdentity } });
      expect((await client.unary({})).text).toBe("nobody");
    }
  });

  test("new connections get new certificates, and active calls continue", async () => {
    await using server = await startServer({ tls: serverIdentity, fastLane });
    const shown: unknown[] = [];
    const tls = {
      ca: authority,
      checkServerIdentity: (_: string, { subject }: PeerCertificate) => {
        shown.push(subject.CN);
        return undefined;
      },
    };
    using before = open(server.url, { protocol: "grpc", tls });
    const gate = server.seen.hold("held");
    const held = before.unary({ text: "held" });
    await server.seen.started("held");
    server.server.reloadTls(renewedIdentity);
    using after = open(server.url, { protocol: "grpc", tls });
    await after.unary({ text: "after" });
    gate.open();
    expect((await held).text).toBe("held");
    expect((await before.unary({ text: "again" })).text).toBe("again");
    expect(shown).toEqual(["first.localhost", "renewed.localhost"]);
  });
});
