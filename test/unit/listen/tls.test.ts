import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { respond } from "../../../server/http/exchange.js";
import { createListener } from "../../../server/listen/listener.js";
import {
  authority,
  clientIdentity,
  renewedIdentity,
  serverIdentity,
  strangerIdentity,
} from "../../support/certificates.js";
import { openHttp2, request } from "../../support/http.js";
import { encodeFrame, frameTypes, preface } from "../../support/http2-frames.js";
import { openRaw, RawSocket } from "../../support/raw-socket.js";
import { echo, headersFrame, openFrames, startListener, startNeighbour, untilFrame } from "./support.js";

const tls = serverIdentity;
const mutual = { ...serverIdentity, ca: authority };
const get = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A plain TCP connection to a TLS port. */
async function openPlain(url: string): Promise<RawSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return new RawSocket(socket);
}

function commonName(raw: RawSocket): string | string[] | undefined {
  return (raw.socket as TLSSocket).getPeerCertificate().subject.CN;
}

describe("with TLS", () => {
  test.each(["1.1", "2"] as const)("ALPN brings HTTP/%s to the handler", async (httpVersion) => {
    await using server = await startListener({
      tls,
      handler: (exchange) => respond(exchange, 200, {}, `${exchange.scheme} ${exchange.httpVersion}`),
    });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const answer = await request(server.url, { httpVersion, path: "/" });
    expect(answer.text).toBe(`https ${httpVersion[0]}`);
  });

  test.each([
    ["h2 and http/1.1", ["http/1.1", "h2"], "h2"],
    ["http/1.1", ["http/1.1"], "http/1.1"],
    ["nothing", undefined, false],
  ])("a client that offers %s in ALPN gets %s", async (_what, offered, chosen) => {
    await using server = await startListener({ tls });
    await using raw = await openRaw(server.url, offered === undefined ? {} : { ALPNProtocols: offered });
    expect((raw.socket as TLSSocket).alpnProtocol).toBe(chosen);
  });

  test.each([
    ["ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", true],
    ["ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA", false],
    ["ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256", false],
  ])("HTTP/2 over TLS 1.2 with %s is served: %s, and HTTP/1.1 always", async (ciphers, isServed) => {
    await using server = await startListener({ tls });
    const old = { maxVersion: "TLSv1.2", ciphers } as const;
    await using raw = await openRaw(server.url, { ...old, ALPNProtocols: ["h2"] });
    raw.write(Buffer.concat([preface, encodeFrame(frameTypes.settings, 0, 0), headersFrame(1, { isEnd: true })]));
    if (isServed) {
      await untilFrame(raw, ({ type, stream }) => type === frameTypes.headers && stream === 1);
    } else {
      const { payload } = await untilFrame(raw, ({ type }) => type === frameTypes.goaway);
      expect(payload.readUInt32BE(4), "INADEQUATE_SECURITY").toBe(12);
      await raw.closed;
      expect(server.errors).toEqual([
        expect.stringMatching(/^http\/2: cipher suite ECDHE-\S+ is not allowed in HTTP\/2$/),
      ]);
    }
    await using raw1 = await openRaw(server.url, { ...old, ALPNProtocols: ["http/1.1"] });
    raw1.write(get);
    await raw1.until(/GET \/a 0$/);
  });

  test("a client cannot renegotiate, also after new certificates", async () => {
    await using server = await startListener({ tls });
    for (const identity of [undefined, renewedIdentity]) {
      if (identity !== undefined) server.listener.reloadTls(identity);
      await using raw = await openRaw(server.url, { maxVersion: "TLSv1.2" });
      const outcome = new Promise((resolve) => {
        (raw.socket as TLSSocket).renegotiate({}, (error) => resolve(error === null ? "renegotiated" : "refused"));
        // OpenSSL sends a warning to the client, of which Node's client says nothing.
        setTimeout(resolve, 300, "refused");
      });
      expect(await outcome).toBe("refused");
      // A client that waits for a handshake does not close its connection.
      raw.vanish();
    }
  });

  test("a client without ALPN speaks HTTP/1.1", async () => {
    await using server = await startListener({ tls });
    await using raw = await openRaw(server.url);
    raw.write(get);
    await raw.until(/^HTTP\/1\.1 200 OK[\s\S]*GET \/a 0$/);
  });

  test("a client that offers only unknown protocols is rejected", async () => {
    await using server = await startListener({ tls });
    await expect(openRaw(server.url, { ALPNProtocols: ["spdy/1"] })).rejects.toThrow();
    expect(server.errors).toEqual([expect.stringMatching(/^tls handshake: ERR_SSL_NO_APPLICATION_PROTOCOL/)]);
  });

  test.each([
    ["HTTP/1.1", get],
    ["HTTP/2", preface],
    ["random bytes", Buffer.from("8f0173a2c45bd9ee", "hex")],
  ])("%s in plaintext is rejected, and others work on", async (_what, bytes) => {
    await using server = await startListener({ tls });
    await using _neighbour1 = await startNeighbour(server.url, "1.1");
    await using _neighbour2 = await startNeighbour(server.url, "2");
    await using raw = await openPlain(server.url);
    raw.write(bytes);
    raw.end();
    await raw.closed;
    expect(raw.text).not.toMatch(/HTTP/);
  });

  test("a client that stops in its handshake is disconnected", async () => {
    await using server = await startListener({ tls, limits: { openingMs: 100 } });
    await using raw = await openPlain(server.url);
    raw.write(Buffer.from("160301", "hex"));
    await raw.closed;
    expect(server.errors).toEqual(["tls handshake: ERR_TLS_HANDSHAKE_TIMEOUT"]);
  });

  test("a client that is silent after its handshake is disconnected", async () => {
    await using server = await startListener({ tls, limits: { openingMs: 100, headersMs: 100 } });
    await using http1 = await openRaw(server.url);
    await using http2 = await openRaw(server.url, { ALPNProtocols: ["h2"] });
    await Promise.all([http1.closed, http2.closed]);
  });

  test("a client that vanishes in the handshake hurts no other", async () => {
    await using server = await startListener({ tls });
    await using raw = await openPlain(server.url);
    raw.write(Buffer.from("160301", "hex"));
    raw.vanish();
    await using _neighbour = await startNeighbour(server.url, "2");
  });

  test("a client can read an early HTTP/1.1 response, as without TLS", async () => {
    await using server = await startListener({
      tls,
      routes: { "/early": (exchange) => respond(exchange, 413, {}, "too large") },
    });
    await using raw = await openRaw(server.url);
    raw.write("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    raw.write(Buffer.alloc(2_000_000, "b"));
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 413 [\s\S]*too large$/);
  });
});

describe("with an authority of clients", () => {
  test("a client with its certificate is served, and the handler sees it", async () => {
    await using server = await startListener({
      tls: mutual,
      handler: (exchange) => {
        const { subject } = (exchange.socket as TLSSocket).getPeerCertificate();
        respond(exchange, 200, {}, `${subject.CN}`);
      },
    });
    await using raw = await openRaw(server.url, clientIdentity);
    raw.write(get);
    await raw.until(/client\.localhost$/);
  });

  test.each([
    ["without a certificate", {}, "tls handshake: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"],
    [
      "with the certificate of another authority",
      strangerIdentity,
      "tls handshake: client certificate: UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
  ])("a client %s is refused", async (_what, identity, error) => {
    await using server = await startListener({ tls: mutual });
    await using raw = await openRaw(server.url, identity);
    raw.write(get);
    await raw.closed;
    expect(raw.text).toBe("");
    expect(server.errors).toEqual([error]);
  });
});

describe("new certificates", () => {
  test("are shown to new connections, and open ones live on", async () => {
    await using server = await startListener({ tls });
    await using before = await openRaw(server.url);
    await using session = await openHttp2(server.url);
    expect(commonName(before)).toBe("first.localhost");
    server.listener.reloadTls(renewedIdentity);
    await using after = await openRaw(server.url);
    expect(commonName(after)).toBe("renewed.localhost");
    before.write(get);
    await before.until(/GET \/a 0$/);
    expect((await session.request({ path: "/b" })).text).toBe("POST /b 0");
  });

  test.each([
    ["that are none", { cert: "no PEM", key: serverIdentity.key }],
    ["whose key is of another certificate", { cert: renewedIdentity.cert, key: serverIdentity.key }],
    ["without a certificate", { cert: "", key: renewedIdentity.key }],
    ["without a key", { cert: renewedIdentity.cert, key: "" }],
    ["with no authority of clients", { ...renewedIdentity, ca: "" }],
    ["with authorities that are none", { ...renewedIdentity, ca: "no PEM" }],
  ])("%s are refused, and nothing changes", async (_what, wrong) => {
    await using server = await startListener({ tls: "ca" in wrong ? mutual : tls });
    expect(() => server.listener.reloadTls(wrong)).toThrow();
    await using raw = await openRaw(server.url, clientIdentity);
    expect(commonName(raw)).toBe("first.localhost");
    expect(() => createListener({ address: { host: "127.0.0.1", port: 0 }, handler: echo, tls: wrong })).toThrow();
  });

  test("keep on asking clients for theirs", async () => {
    await using server = await startListener({ tls: mutual });
    server.listener.reloadTls({ ...renewedIdentity, ca: authority });
    await using raw = await openRaw(server.url);
    raw.write(get);
    await raw.closed;
    await using known = await openRaw(server.url, clientIdentity);
    known.write(get);
    await known.until(/GET \/a 0$/);
  });

  test("cannot begin or cease to ask clients for theirs", async () => {
    await using server = await startListener({ tls });
    expect(() => server.listener.reloadTls(mutual)).toThrow(
      "tls.ca: asking for client certificates cannot be switched on or off while listening",
    );
  });

  test("are nothing for a listener in plaintext", async () => {
    await using server = await startListener();
    expect(() => server.listener.reloadTls(tls)).toThrow("tls: this listener speaks plaintext");
  });
});

test("a session of TLS cannot be resumed past new authorities of clients", async () => {
  await using server = await startListener({ tls: mutual });
  const { hostname, port } = new URL(server.url);
  const options = {
    host: hostname,
    port: Number(port),
    ca: authority,
    ...clientIdentity,
    maxVersion: "TLSv1.2",
  } as const;
  const first = connectTls(options);
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  server.listener.reloadTls({ ...serverIdentity, ca: strangerIdentity.cert });
  const second = new RawSocket(connectTls({ ...options, session }));
  second.write(get);
  await second.closed;
  expect(second.text).toBe("");
});

test("HTTP/2 frames pass through TLS", async () => {
  await using server = await startListener({ tls });
  await using raw = await openFrames(server.url);
  raw.write(headersFrame(1, { isEnd: true }));
  await untilFrame(raw, ({ type }) => type === frameTypes.data);
});
