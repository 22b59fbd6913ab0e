import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { clientNetwork } from "../../../server/http/peer.js";
import { serverIdentity } from "../../support/certificates.js";
import { TestClock } from "../../support/clock.js";
import { openHttp2, request } from "../../support/http.js";
import { Random, seed } from "../../support/random.js";
import { openRaw, RawSocket } from "../../support/raw-socket.js";
import { get, startListener } from "./support.js";

/** Opens a connection from an address of this machine. It may be closed before it is open. */
async function openFrom(localAddress: string, url: string): Promise<RawSocket> {
  const raw = new RawSocket(connect({ host: "127.0.0.1", port: Number(new URL(url).port), localAddress }));
  await Promise.race([new Promise((resolve) => raw.socket.once("connect", resolve)), raw.closed]);
  return raw;
}

async function isServed(raw: RawSocket): Promise<boolean> {
  raw.write(get("/"));
  return await raw.until(/GET \/ 0/).then(
    () => true,
    () => false,
  );
}

describe.each([
  ["plaintext", undefined],
  ["TLS", serverIdentity],
])("over %s", (_, tls) => {
  test.each(["connections", "connectionsPerAddress"] as const)("limits.%s closes further connections", async (name) => {
    await using server = await startListener({ limits: { [name]: 3 }, ...(tls !== undefined && { tls }) });
    await using http2 = await openHttp2(server.url);
    const open = [await openRaw(server.url), await openRaw(server.url)];
    for (const raw of open) expect(await isServed(raw)).toBe(true);
    await using plain = await openFrom("127.0.0.1", server.url);
    await plain.closed;
    expect(plain.received.length).toBe(0);
    expect((await http2.request({ path: "/", httpVersion: "2" })).status).toBe(200);
    expect(server.listener.connectionCount).toBe(3);
    for (const raw of open) await raw[Symbol.asyncDispose]();
    await expect.poll(() => server.listener.connectionCount).toBe(1);
    expect((await request(server.url, { httpVersion: "1.1", path: "/" })).status).toBe(200);
  });
});

test("limits.connections holds for a Unix socket, and limits.connectionsPerAddress does not", async () => {
  const path = `/tmp/manywire-${process.pid}.sock`;
  await using server = await startListener({
    address: { path },
    limits: { connections: 3, connectionsPerAddress: 1 },
  });
  const open = [];
  for (let index = 0; index < 4; index++) open.push(new RawSocket(connect(path)));
  for (const raw of open.slice(0, 3)) expect(await isServed(raw)).toBe(true);
  await open[3]?.closed;
  for (const raw of open) await raw[Symbol.asyncDispose]();
  expect(server.errors).toEqual(["accept: connections closed over limits.connections (3): 1"]);
});

test("limits.connectionsPerAddress leaves other addresses alone", async () => {
  await using server = await startListener({ limits: { connectionsPerAddress: 2 } });
  const flood = await Promise.all(Array.from({ length: 50 }, () => openFrom("127.0.0.1", server.url)));
  await using neighbour = await openFrom("127.0.0.2", server.url);
  expect(await isServed(neighbour)).toBe(true);
  await Promise.all(flood.slice(2).map(({ closed }) => closed));
  expect(server.listener.connectionCount).toBe(3);
  for (const raw of flood) await raw[Symbol.asyncDispose]();
});

test("connections over a limit are reported at once, and then once a minute with their number", async () => {
  const clock = new TestClock();
  await using server = await startListener({ clock, limits: { connectionsPerAddress: 1 } });
  await using first = await openRaw(server.url);
  expect(await isServed(first)).toBe(true);
  const refuse = async () => {
    await using raw = await openFrom("127.0.0.1", server.url);
    await raw.closed;
  };
  for (let index = 0; index < 5; index++) await refuse();
  expect(server.errors).toEqual(["accept: connections closed over limits.connectionsPerAddress (1): 1"]);
  await clock.pass(60_000, 1);
  await refuse();
  expect(server.errors.slice(1)).toEqual(["accept: connections closed over limits.connectionsPerAddress (1): 5"]);
});

test(`connections that come and go in random order leave every place free (seed ${seed})`, async () => {
  const random = new Random(seed);
  await using server = await startListener({ limits: { connectionsPerAddress: 4 } });
  const open: RawSocket[] = [];
  for (let step = 0; step < 300; step++) {
    if (random.below(2) === 0) open.push(await openFrom(`127.0.0.${1 + random.below(3)}`, server.url));
    const [raw] = open.splice(random.below(open.length + 1), 1);
    if (random.below(2) === 0) raw?.vanish();
    else raw?.end();
    expect(server.listener.connectionCount).toBeLessThanOrEqual(12);
  }
  for (const raw of open) await raw[Symbol.asyncDispose]();
  await expect.poll(() => server.listener.connectionCount).toBe(0);
  const again = await Promise.all(Array.from({ length: 4 }, () => openFrom("127.0.0.1", server.url)));
  for (const raw of again) {
    expect(await isServed(raw)).toBe(true);
    await raw[Symbol.asyncDispose]();
  }
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::1", "0:0:0:0"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::", "2001:db8:1:2"],
  ["2001:db8:0:1::5", "2001:db8:0:1"],
  ["fe80::1", "fe80:0:0:0"],
])("%s counts as %s", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
