// Closes the socket of an HTTP/2 session that has ended, also in the cases in which Node leaves it open.
import type { Http2Session, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../clock.js";
import { queuedBytes } from "../tcp-handle.js";

const socketKey: unique symbol = Symbol("socket");
const clockKey: unique symbol = Symbol("clock");
const isGoingAwayKey: unique symbol = Symbol("isGoingAway");

type Session = ServerHttp2Session & { [socketKey]: Socket; [clockKey]: Clock; [isGoingAwayKey]: boolean };

/** Time between two looks at the socket of a destroyed session, in milliseconds. */
const intervalMs = 500;

/** The socket of a session, which is not the proxy that Node gives out. */
export function socketOf(session: Http2Session | undefined): Socket | undefined {
  return (session as Session | undefined)?.[socketKey];
}

/** Makes a session close its socket when it ends. */
export function closeSocketAtEnd(session: ServerHttp2Session, socket: Socket, clock: Clock): void {
  const ending: Session = Object.assign(session, { [socketKey]: socket, [clockKey]: clock, [isGoingAwayKey]: false });
  ending.on("goaway", onGoaway);
  ending.destroy = destroy;
}

function onGoaway(this: Session): void {
  this[isGoingAwayKey] = true;
}

/**
 * Node destroys a session as soon as it reads a GOAWAY with an error. Node 22.23 then crashes if requests follow in the
 * same packet, so this waits until the packet has been read. Other errors must not wait: if the client closes a TLS
 * connection in between, Node never closes the socket (Node 20, 22 and 24).
 */
function destroy(this: Session, error?: Error, code?: number): void {
  if (this[isGoingAwayKey]) setImmediate(destroyNow, this, error, code);
  else destroyNow(this, error, code);
}

function destroyNow(session: Session, error?: Error, code?: number): void {
  const { destroy } = Object.getPrototypeOf(session) as ServerHttp2Session;
  destroy.call(session, error, code);
  closeSocketLater(session[socketKey], session[clockKey], error !== undefined);
}

function closeSocketLater(socket: Socket, clock: Clock, hasFailed: boolean): void {
  clock.schedule(() => closeSocket(socket, clock, hasFailed), intervalMs);
}

/**
 * Node closes the socket of a destroyed session when its last write completes. On a TLS connection that the client has
 * reset, that write may never complete.
 */
function closeSocket(socket: Socket, clock: Clock, hasFailed: boolean): void {
  // Once its last byte was sent, a socket has `lingerMs`.
  if (socket.destroyed || socket.writableFinished) return;
  if (hasFailed || queuedBytes(socket) === 0) socket.destroy();
  else closeSocketLater(socket, clock, hasFailed);
}
