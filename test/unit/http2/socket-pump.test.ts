// Our connections on real sockets, with Node's `http2` as the peer.
import { once } from "node:events";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { ConnectionListener } from "../../../server/http2/connection-listener.js";
import { defaultConnectionLimits } from "../../../server/http2/limits.js";
import { SocketPump } from "../../../server/http2/socket-pump.js";
import { fieldsOf } from "../../support/http2-peer.js";

/** Sends back what comes, and a trailer. */
async function listen(): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    const listener: ConnectionListener<undefined> = {
      onRequest: (stream) => pump.connection.sendHead(stream, fieldsOf([[":status", "200"]]), false),
      onResponse: () => {},
      onData(stream, bytes, start, end) {
        pump.connection.consume(stream, end - start);
        pump.connection.sendData(stream, bytes.subarray(start, end), false);
      },
      onTrailers: () => {},
      onEnd: (stream) => pump.connection.sendTrailers(stream, fieldsOf([["x", "y"]])),
      onDrain: () => {},
      onStreamClose: () => {},
      onSettings: () => {},
      onPong: () => {},
      onGoaway: () => {},
      onClose: () => {},
    };
    const options = { side: "server", limits: defaultConnectionLimits, listener } as const;
    const pump = new SocketPump(socket, { ...options, now: () => performance.now(), schedule: setImmediate });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function connect(port: number): http2.ClientHttp2Session {
  const client = http2.connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => client.destroy());
  return client;
}

async function echo(client: http2.ClientHttp2Session, body: Buffer): Promise<[body: Buffer, trailer: unknown]> {
  const request = client.request({ ":method": "POST", ":path": "/" });
  request.end(body);
  let trailer: unknown;
  request.on("trailers", (trailers) => {
    trailer = trailers.x;
  });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return [Buffer.concat(chunks), trailer];
}

test("bodies of any size go through, also many at once", async () => {
  const client = connect(await listen());
  const bodies = [0, 1, 5000, 70_000, 3_000_000, 1_000_000].map((size) => Buffer.alloc(size, `${size}`));
  const echoes = await Promise.all(bodies.map((body) => echo(client, body)));
  for (const [index, [body, trailer]] of echoes.entries()) {
    expect(body.equals(bodies[index] as Buffer)).toBe(true);
    expect(trailer).toBe("y");
  }
});

test("invalid HTTP/2 gets GOAWAY and ends the connection", async () => {
  const socket = net.connect(await listen(), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString("latin1")).toContain("invalid connection preface");
});

test("a peer that ends its side gets the end of ours", async () => {
  const socket = net.connect({ port: await listen(), host: "127.0.0.1", allowHalfOpen: true });
  socket.end();
  socket.resume();
  await once(socket, "end");
});
