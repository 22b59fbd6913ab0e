// A pool whose sockets and times a test chooses, and a client on it.
import { connect, type Socket } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { onTestFinished, vi } from "vitest";
import { createOwnGrpcTransport } from "../../../../client/grpc/transport.js";
import { addressOf } from "../../../../client/http2/address.js";
import { errorOfSocket } from "../../../../client/http2/endings.js";
import { Pool, type PoolSettings } from "../../../../client/http2/pool.js";
import type { Request, RequestConnection, RequestStream } from "../../../../client/http2/request.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { post } from "../../../support/http2-peer.js";

export interface OpenPool {
  readonly pool: Pool;
  readonly client: Client<typeof TestService>;
  /** The port of each attempt to connect. */
  readonly attempts: readonly number[];
}

/** @param url of the server, or of the first of several addresses */
export function openPool(url: string, settings: Partial<PoolSettings> = {}): OpenPool {
  const attempts: number[] = [];
  const target = addressOf({ url, isTls: false });
  const pool = new Pool({
    pingIntervalMs: Number.POSITIVE_INFINITY,
    pingTimeoutMs: 15_000,
    pingIdleConnection: false,
    idleConnectionTimeoutMs: 15 * 60_000,
    connectTimeoutMs: 20_000,
    targets: [target],
    isTls: false,
    loadBalancing: "pick_first",
    maxConnections: 10,
    maxPendingCalls: 10_000,
    backoffMaxMs: 10_000,
    schedule: process.nextTick,
    staysConnected: false,
    ...settings,
    openSocket(address): Socket {
      if (address.kind === "tcp") attempts.push(address.port);
      return settings.openSocket?.(address) ?? connect(address as { host: string; port: number });
    },
  });
  onTestFinished(() => pool.close(errorOfSocket(undefined)));
  const transport = createOwnGrpcTransport({
    ...{ pool, baseUrl: "http://test", interceptors: [], useBinaryFormat: true, acceptCompression: [] },
    ...{ sendCompression: null, compressMinBytes: 1024, readMaxBytes: 1_000_000, writeMaxBytes: 1_000_000 },
  });
  return { pool, attempts, client: createClient(TestService, transport) };
}

/** A request that waits for ready, and records what becomes of it. */
export class WaitingRequest implements Request {
  readonly waitsForReady = true;
  outcome = "";

  open(connection: RequestConnection): RequestStream | undefined {
    this.outcome += "opened";
    return connection.open(post, true);
  }
  restart(): boolean {
    return false;
  }
  onResponse(): void {}
  onData(): void {}
  onTrailers(): void {}
  onEnd(): void {}
  onDrain(): void {}
  onFail({ message }: Error): void {
    this.outcome += message;
  }
}

/** Lets time pass only where a test says so. */
export function holdTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}
