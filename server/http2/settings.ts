// SETTINGS of RFC 9113 §6.5: what we announce, and what the peer has.
import { ConnectionError, ErrorCode } from "./errors.js";
import { maxFrameBytes } from "./frame/frame-types.js";
import type { ConnectionLimits } from "./limits.js";
import { defaultWindowBytes, maxWindowBytes } from "./window.js";

/** Which side of a connection is ours. */
export type Side = "server" | "client";

const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  /** RFC 9218 §2.1. */
  noRfc7540Priorities: 0x9,
} as const;

/** Returns our settings, as pairs of id and value. */
export function ownSettings(side: Side, limits: ConnectionLimits): number[] {
  const both = [
    Setting.initialWindowSize,
    limits.streamWindowBytes,
    Setting.maxHeaderListSize,
    limits.headerBytes,
    Setting.noRfc7540Priorities,
    1,
  ];
  if (side === "client") return [Setting.enablePush, 0, ...both];
  return [Setting.maxConcurrentStreams, limits.concurrentStreams, ...both];
}

/** What the peer has announced. */
export class PeerSettings {
  readonly #side: Side;
  headerTableBytes = 4096;
  /** Streams that we may have open at once. */
  maxConcurrentStreams: number = Number.POSITIVE_INFINITY;
  initialWindowBytes: number = defaultWindowBytes;
  /** Size of a header list that the peer takes. */
  maxHeaderListBytes: number = Number.POSITIVE_INFINITY;

  /** @param side ours */
  constructor(side: Side) {
    this.#side = side;
  }

  /**
   * Takes one entry of a SETTINGS frame. Unknown ones are ignored.
   *
   * @throws ConnectionError if the value is not allowed
   */
  apply(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        this.headerTableBytes = value;
        break;
      case Setting.enablePush:
        check(value <= (this.#side === "server" ? 1 : 0), "SETTINGS_ENABLE_PUSH", value);
        break;
      case Setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        check(value <= maxWindowBytes, "SETTINGS_INITIAL_WINDOW_SIZE", value, ErrorCode.flowControlError);
        this.initialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        check(value >= maxFrameBytes && value < 2 ** 24, "SETTINGS_MAX_FRAME_SIZE", value);
        break;
      case Setting.maxHeaderListSize:
        this.maxHeaderListBytes = value;
        break;
      case Setting.noRfc7540Priorities:
        check(value <= 1, "SETTINGS_NO_RFC7540_PRIORITIES", value);
        break;
    }
  }
}

function check(isAllowed: boolean, name: string, value: number, code: number = ErrorCode.protocolError): void {
  if (!isAllowed) throw new ConnectionError(code, `${name}: invalid value ${value}`);
}
