// What becomes of the calls of a proxy whose upstream misbehaves: each gets an error in its own protocol. The proxy lives on,
// keeps nothing, and serves other upstreams meanwhile.
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { create, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, describe, expect, test } from "vitest";
import { file_manywire_test_v1_test as testFile } from "../gen/manywire/test/v1/test_pb.js";
import { authority, strangerIdentity } from "../support/certificates.js";
import { envelope } from "../support/envelopes.js";
import { answerOf, beginRequest, openHttp2, request } from "../support/http.js";
import { frameTypes } from "../support/http2-frames.js";
import { fieldsOf, frame, headers, settings, uint32 } from "../support/http2-peer.js";
import type { Peer } from "../support/scripted-peer.js";
import { startServer } from "../support/server.js";
import { callFront, fronts, grpc, type Outcome, outcomeOf, restPath, restRules } from "./fronts.js";
import { goodResponse, type HostileScript, HostileUpstream, responseHead } from "./hostile-upstream.js";
import { isLong } from "./long.js";
import { type Attack, connectionAttacks, streamAttacks } from "./upstream-attacks.js";
import { useVictim } from "./victim.js";

const service = "manywire.hostile.v1.TestService";
const methods = ["Unary", "ServerStream"] as const;
/** More than a call needs that does not wait for its deadline. */
const patienceMs = 5000;
const megabyte = 1024 * 1024;
/** Many connections of callers make much garbage, which Node 24 leaves for longer. */
const bounds = { peakBytes: 384 * megabyte };

/** The schema of the test service in a package of that name. */
function schemaOf(packageName: string): string {
  const text = toJsonString(FileDescriptorProtoSchema, testFile.proto).replaceAll("manywire.test.v1", packageName);
  const file = fromJsonString(FileDescriptorProtoSchema, text.replaceAll("manywire/test/v1", packageName));
  return Buffer.from(toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [file] }))).toString(
    "base64",
  );
}

const neighbour = await startServer();
const upstream = await HostileUpstream.start();
/** One that the proxy expects TLS of. */
const plaintext = createTcpServer((socket) => socket.on("error", () => {}).write(settings()));
/** One whose certificate the proxy does not trust. */
const stranger = createTlsServer({ ...strangerIdentity, ALPNProtocols: ["h2"] }).on("tlsClientError", () => {});
for (const server of [plaintext, stranger]) await once(server.listen(0, "127.0.0.1"), "listening");
afterAll(async () => {
  for (const server of [neighbour, upstream]) await server[Symbol.asyncDispose]();
  for (const server of [plaintext, stranger]) server.close();
});

function secureUpstream(server: Server, packageName: string) {
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, schema: schemaOf(packageName), tls: { ca: authority.toString() } };
}

const victim = useVictim({
  // The process of the test, which has the callers, is busy with the attacks. Limits of time would end their connections.
  limits: {},
  httpRules: {
    rules: [
      ...restRules(service, ["Unary", "ServerStream", "ClientStream"]),
      ...restRules("manywire.plaintext.v1.TestService", ["Unary"]),
      ...restRules("manywire.stranger.v1.TestService", ["Unary"]),
    ],
  },
  upstreams: [
    { url: neighbour.url, schema: schemaOf("manywire.test.v1") },
    { url: upstream.address, schema: schemaOf("manywire.hostile.v1") },
    secureUpstream(plaintext, "manywire.plaintext.v1"),
    secureUpstream(stranger, "manywire.stranger.v1"),
  ],
});

/** How many calls an attack meets at the same time. */
const callCount = methods.length * Object.keys(fronts).length;

function toScript({ settings, onConnect, respond, respondAll }: Attack): HostileScript {
  const waiting = new Map<Peer, number[]>();
  return {
    ...(settings !== undefined && { settings }),
    ...(onConnect !== undefined && { onConnect }),
    onRequest(id, peer) {
      respond?.(id, peer);
      const ids = [...(waiting.get(peer) ?? []), id];
      waiting.set(peer, ids);
      if (ids.length === callCount) respondAll?.(ids, peer);
    },
  };
}

/** Protocols whose responses end in their bodies, where nothing can follow a part of a message that has been passed on. */
const endsInBody: ReadonlySet<string> = new Set(["gRPC-Web", "Connect"]);

/** Makes a call of each method over each protocol. Returns a line for each outcome that is not the expected one. */
async function wrongOutcomes(url: string, attack: Attack): Promise<string[]> {
  const { title, code, streamCode = code, deadlineMs = patienceMs, isInMessage = false } = attack;
  const lines = methods.flatMap((method) =>
    Object.entries(fronts).map(async ([name, front]) => {
      const found = await callFront(url, front, { service, method, deadlineMs });
      const codes = [method === "Unary" ? code : streamCode].flat();
      const expected: readonly Outcome[] = isInMessage && endsInBody.has(name) ? [...codes, "cut"] : codes;
      if (expected.includes(found)) return [];
      return [`${title}: ${method} over ${name}: expected ${expected.join(" or ")}, found ${found}`];
    }),
  );
  return (await Promise.all(lines)).flat();
}

/** A call that the upstream always serves well. */
function callGet(url: string): Promise<Outcome> {
  return callFront(url, grpc, { service, method: "Get", deadlineMs: patienceMs });
}

/** Calls until the upstream serves again: the proxy may wait for a moment before it connects. */
async function untilServed(url: string): Promise<void> {
  await expect.poll(() => callGet(url), { interval: 20, timeout: 5000 }).toBe(0);
}

/** Closes the connections of the upstream. Resolves when the proxy has noticed. */
async function reconnect(url: string): Promise<void> {
  upstream.cut();
  await request(url, { method: "GET", path: "/healthz" });
}

describe("responses", () => {
  test.each(Object.entries(streamAttacks))("%s cost their call, and no other on the connection", async (_, attacks) => {
    await victim.withstand(async (url) => {
      const wrong: string[] = [];
      for (const attack of attacks) {
        // A connection with many malformed responses is closed.
        await reconnect(url);
        upstream.script = toScript(attack);
        const [lines, code] = await Promise.all([wrongOutcomes(url, attack), callGet(url)]);
        wrong.push(...lines, ...(code === 0 ? [] : [`${attack.title}: another call: found ${code}`]));
      }
      expect(wrong).toEqual([]);
    }, bounds);
  });
});

describe("connections", () => {
  test.each(Object.entries(connectionAttacks))("%s cost their connection, and no other", async (_, attacks) => {
    await victim.withstand(async (url) => {
      const wrong: string[] = [];
      for (const attack of attacks) {
        upstream.script = toScript(attack);
        if (attack.settings !== undefined || attack.onConnect !== undefined) await reconnect(url);
        wrong.push(...(await wrongOutcomes(url, attack)));
        upstream.behave();
        if (attack.isFatal === true) await reconnect(url);
        await untilServed(url);
      }
      expect(wrong).toEqual([]);
    }, bounds);
  });
});

test("a response that is cut at any byte is unavailable, over every protocol", async () => {
  const { length } = Buffer.concat(goodResponse(1));
  const calls = Object.entries(fronts).flatMap(([name, front]) => methods.map((method) => ({ name, front, method })));
  await victim.withstand(async (url) => {
    const wrong: string[] = [];
    await untilServed(url);
    await reconnect(url);
    for (let count = 0; count < length; count++) {
      upstream.script = {
        onRequest: (id, { socket }) => void socket.end(Buffer.concat(goodResponse(id)).subarray(0, count)),
      };
      // One after the other, because each is the first of its connection.
      for (const { name, front, method } of isLong ? calls : calls.slice(count % calls.length).slice(0, 1)) {
        const found = await callFront(url, front, { service, method, deadlineMs: patienceMs });
        if (found !== 14) wrong.push(`${method} over ${name}: ${count} bytes of ${length}: found ${found}`);
      }
    }
    upstream.behave();
    await untilServed(url);
    expect(wrong).toEqual([]);
  });
}, 60_000);

/** Protocol → how a client stream begins: the HTTP version, the path, the content type, the first message. */
const streams: Record<string, [httpVersion: "1.1" | "2", contentType: string, first: string | Uint8Array]> = {
  gRPC: ["2", "application/grpc", envelope("")],
  "gRPC with JSON": ["2", "application/grpc+json", envelope("{}")],
  "gRPC-Web": ["1.1", "application/grpc-web", envelope("")],
  Connect: ["1.1", "application/connect+proto", envelope("")],
  "Connect with JSON": ["1.1", "application/connect+json", envelope("{}")],
  REST: ["1.1", "application/x-ndjson", "{}\n"],
};

const failed = fieldsOf([
  [":status", "200"],
  ["content-type", "application/grpc"],
  ["grpc-status", "9"],
]);

test.each([
  ["a reply", 0, goodResponse],
  ["an error", 9, (id: number) => [headers(id, failed, 5)]],
])("%s before the end of the request ends a call over every protocol", async (_title, code, respond) => {
  const path = `/${service}/ClientStream`;
  await victim.withstand(async (url) => {
    upstream.script = { onRequest: (id, peer) => peer.send(...respond(id)) };
    const outcomes = Object.entries(streams).map(async ([name, [httpVersion, contentType, first]]) => {
      const to = name === "REST" ? restPath(path) : path;
      await using open = await beginRequest(url, { httpVersion, path: to, headers: { "content-type": contentType } });
      open.body.write(first);
      return [name, await Promise.race([open.answer.then(outcomeOf), delay(patienceMs, "nothing", { ref: false })])];
    });
    const found = await Promise.all(outcomes);
    upstream.behave();
    expect(found).toEqual(Object.keys(streams).map((name) => [name, code]));
  });
});

const grpcHeaders = (timeout: string) => ({ "content-type": "application/grpc", "grpc-timeout": timeout });

test("200 messages of 4 MB that are only announced hold no memory", async () => {
  await victim.withstand(async (url) => {
    const announcement = [0, ...uint32(4 * megabyte), 1];
    upstream.script = {
      onRequest: (id, peer) => peer.send(responseHead(id), frame(frameTypes.data, 0, id, announcement)),
    };
    await using connection = await openHttp2(url);
    const call = () =>
      connection.request({ path: `/${service}/Unary`, headers: grpcHeaders("1500m"), body: envelope("") });
    const calls = Array.from({ length: 200 }, call);
    await delay(700);
    expect(await victim.grown()).toBeLessThan(32 * megabyte);
    const outcomes = (await Promise.all(calls)).map(outcomeOf);
    expect(outcomes).toEqual(Array(200).fill(4));
    upstream.behave();
  });
});

test("an upload to an upstream that never opens its windows waits in the client", async () => {
  await victim.withstand(async (url) => {
    upstream.script = { settings: [[4, 0]] };
    await reconnect(url);
    await using connection = await openHttp2(url);
    const stream = connection.begin({ path: `/${service}/ClientStream`, headers: grpcHeaders("1500m") });
    const answer = answerOf(stream);
    const chunk = envelope(Buffer.alloc(64 * 1024));
    let written = 0;
    while (written < 64 * megabyte) {
      written += chunk.length;
      if (stream.write(chunk)) continue;
      const drained = once(stream, "drain").then(() => true);
      if (!(await Promise.race([drained, delay(300, false)]))) break;
    }
    expect(written).toBeLessThan(8 * megabyte);
    expect(await victim.grown()).toBeLessThan(8 * megabyte);
    expect(outcomeOf(await answer)).toBe(4);
    upstream.behave();
    upstream.cut();
    await untilServed(url);
  });
});

test.each([
  ["speaks plaintext where TLS is expected", "manywire.plaintext.v1"],
  ["has a certificate that is not trusted", "manywire.stranger.v1"],
])("an upstream that %s cannot be used, over every protocol", async (_title, packageName) => {
  await victim.withstand(async (url) => {
    for (const front of Object.values(fronts)) {
      const call = { service: `${packageName}.TestService`, method: "Unary", deadlineMs: patienceMs } as const;
      expect([13, 14]).toContain(await callFront(url, front, call));
    }
  });
});
