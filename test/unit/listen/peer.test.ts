// Every kind of exchange names the address of its client.
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { type AddressInfo, createConnection, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Exchange, respond } from "../../../server/http/exchange.js";
import { createFetch } from "../../../server/mount/fetch.js";
import { serverIdentity } from "../../support/certificates.js";
import { beginRequest, request } from "../../support/http.js";
import { RawSocket } from "../../support/raw-socket.js";
import { startListener } from "./support.js";

const tellPeer = (exchange: Exchange) => respond(exchange, 200, {}, JSON.stringify(exchange.peer));

const speakers = [
  ["1.1", "own"],
  ["2", "own"],
  ["2", "node"],
] as const;

describe.each(speakers)("over HTTP/%s (%s)", (httpVersion, http2) => {
  test.each([
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", undefined],
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", serverIdentity],
    ["::1", "[::1]", "::1", undefined],
    ["::", "127.0.0.1", "127.0.0.1", undefined],
    ["::", "127.0.0.1", "127.0.0.1", serverIdentity],
  ])("a listener on %s shows the client of %s as %s", async (host, called, peer, tls) => {
    await using server = await startListener({ http2, tls, address: { host, port: 0 }, handler: tellPeer });
    const url = new URL(server.url);
    url.hostname = called;
    // Node's client of HTTP/2 makes a wrong one of [::1].
    const headers = httpVersion === "2" ? { ":authority": "localhost" } : {};
    const { text } = await request(url.origin, { httpVersion, path: "/", headers });
    expect(text).toBe(JSON.stringify(peer));
  });

  test.each([undefined, serverIdentity])("the address is known after the client has disconnected", async (tls) => {
    let handle: (exchange: Exchange) => void = () => {};
    const handled = new Promise<Exchange>((resolve) => {
      handle = resolve;
    });
    const closed = handled.then(
      (exchange) =>
        new Promise<void>((resolve) => {
          exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: resolve });
          exchange.read();
        }),
    );
    await using server = await startListener({ http2, tls, handler: (exchange) => handle(exchange) });
    await using begun = await beginRequest(server.url, { httpVersion, path: "/" });
    const exchange = await handled;
    begun.vanish();
    await closed;
    expect(exchange.peer).toBe("127.0.0.1");
  });
});

test("the client of a Unix socket has no address", async () => {
  const path = join(tmpdir(), `peer-${process.pid}.sock`);
  await using _ = await startListener({ address: { path }, handler: tellPeer });
  await using raw = new RawSocket(createConnection(path));
  raw.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await raw.until(/""$/);
});

test.each([
  ["1.1", () => http.createServer()],
  ["2", () => http2.createServer()],
] as const)("a server of Node that passes requests on over HTTP/%s shows its clients", async (httpVersion, create) => {
  await using server = await startListener({ handler: tellPeer });
  const host = create() as Server;
  host.on("request", server.listener.handleNode);
  host.listen(0, "::");
  await once(host, "listening");
  onTestFinished(() => void host.close());
  const { port } = host.address() as AddressInfo;
  const { text } = await request(`http://127.0.0.1:${port}`, { httpVersion, path: "/" });
  expect(text).toBe('"127.0.0.1"');
});

test("a request of fetch has no address", async () => {
  const response = await createFetch(tellPeer)(new Request("http://a.example/"));
  expect(await response.text()).toBe('""');
});
