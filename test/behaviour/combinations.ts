// Every way in which a call can reach the server: protocol × codec × HTTP version × security × lane.
import type { HttpVersion } from "../support/http.js";

/** Protocols as they are on the wire. gRPC-Web has two: as it is, and in base64. */
export const wires = ["grpc", "grpc-web", "grpc-web-text", "connect"] as const;

export type Wire = (typeof wires)[number];

/** The encoding of messages. */
export type Codec = "proto" | "json";

/** Which of the server's two implementations serves the calls. */
export type Lane = "fast" | "reference";

/** What one server is. It serves every wire, codec and HTTP version on its one port. */
export interface Place {
  readonly lane: Lane;
  readonly security: "plaintext" | "TLS";
  /** Who speaks HTTP/2. */
  readonly http2: "own" | "node";
}

/** How a call gets there. */
export interface Route {
  readonly wire: Wire;
  readonly codec: Codec;
  readonly httpVersion: HttpVersion;
}

export type Combination = Place & Route;

export const places: readonly Place[] = [
  { lane: "fast", security: "plaintext", http2: "own" },
  { lane: "fast", security: "TLS", http2: "own" },
  { lane: "fast", security: "plaintext", http2: "node" },
  { lane: "reference", security: "plaintext", http2: "own" },
];

export const routes: readonly Route[] = wires.flatMap((wire) =>
  (["proto", "json"] as const).flatMap((codec) =>
    (["1.1", "2"] as const).map((httpVersion) => ({ wire, codec, httpVersion })),
  ),
);

/**
 * The routes that behaviours take at a place: all of them to our own code. Each reference needs one slice: TLS is below both
 * lanes, protobuf-es reads and writes the messages of both codecs, and Node's HTTP/2 takes no part in HTTP/1.1.
 */
export function routesAt({ lane, http2 }: Place): readonly Route[] {
  if (http2 === "node") return routes.filter(({ codec, httpVersion }) => codec === "proto" && httpVersion === "2");
  return lane === "fast" ? routes : routes.filter(({ codec }) => codec === "proto");
}

/** Combinations for which something does not hold, and why. Those that have all the given values. */
export interface Exception extends Partial<Combination> {
  readonly reason: string;
}

export function isExcepted(combination: Combination, { reason: _, ...where }: Exception): boolean {
  return Object.entries(where).every(([name, value]) => combination[name as keyof Combination] === value);
}

/** Exceptions for all wires but one. */
export function onlyOn(wire: Wire, reason: string): Exception[] {
  return wires.filter((other) => other !== wire).map((other) => ({ wire: other, reason }));
}
