// A server of HTTP/2 that sends the bytes that a test gives it, and records what it receives.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { ConnectError } from "../../../../client/index.js";
import { data, fieldsOf, frame, headers, settings, uint32 } from "../../../support/http2-peer.js";
import { Peer, type Script } from "../../../support/scripted-peer.js";

export type { Peer, Script, SeenFrame } from "../../../support/scripted-peer.js";

export interface ScriptedServer {
  readonly url: string;
  /** The connections, in order. */
  readonly peers: Peer[];
  /** Stops listening, and resets its connections. Resolves when it has. */
  close(): Promise<void>;
}

/** Starts a server, which ends with the test. */
export async function startScriptedServer(script: Script, port = 0, host = "127.0.0.1"): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const server = createServer((socket) => {
    const peer = new Peer(socket, script);
    peers.push(peer);
    if (script.settings !== null) peer.send(settings(...(script.settings ?? [])));
    script.onConnect?.(peer);
  });
  server.listen(port, host);
  await once(server, "listening");
  const close = async () => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const { socket } of peers) socket.resetAndDestroy();
    await closed;
  };
  onTestFinished(close);
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, peers, close };
}

/** The head of a gRPC response. */
export const head = (id: number, flags = 4): Uint8Array =>
  headers(
    id,
    fieldsOf([
      [":status", "200"],
      ["content-type", "application/grpc+proto"],
    ]),
    flags,
  );

/** A gRPC response with an empty message. */
export const reply = (id: number): Uint8Array[] => [
  head(id),
  data(id, "\0\0\0\0\0"),
  headers(id, fieldsOf([["grpc-status", "0"]]), 5),
];

export const answer = (id: number, peer: Peer): void => peer.send(...reply(id));

export const goaway = (lastId: number, code = 0, text = ""): Uint8Array =>
  frame(7, 0, 0, [...uint32(lastId), ...uint32(code), ...Buffer.from(text)]);

/** Code and message of the error that a call fails with. */
export const failureOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "the call succeeded",
    (error: unknown) => ConnectError.from(error).message,
  );

export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(5);
}
