// The limits of a listener as those of one connection of HTTP/2.
import type { ConnectionLimits } from "../../http2/limits.js";
import type { ListenLimits } from "../limits.js";

/** Limits of an upload after an early response. curl 7.88 loses the response if a reset follows at once. */
const uploadMs = 1000;
const uploadBytes = 16 * 1024 * 1024;
/** Longer than round trips are. */
const goawayMs = 1000;
/** Our responses may lag behind by several windows, but a peer that only makes us acknowledge gets less. */
const unsentControlBytes = 64 * 1024;
/** Streams that we have reset, whose late frames are still recognized: as many as come in a round trip. */
const rememberedResets = 1000;

export function toConnectionLimits(limits: ListenLimits): ConnectionLimits {
  return {
    headerBytes: limits.headerBytes,
    headerCount: limits.headerCount,
    headerBlockBytes: limits.headerBlockBytes,
    continuationFrames: limits.continuationFrames,
    concurrentStreams: limits.streamsPerConnection,
    refusedStreams: limits.rejectedStreams,
    streamWindowBytes: limits.streamWindowBytes,
    connectionWindowBytes: limits.connectionWindowBytes,
    settingsPerFrame: limits.settingsPerFrame,
    streamErrors: limits.invalidFrames,
    resetBurst: limits.resetBurst,
    resetsPerSecond: limits.resetsPerSecond,
    controlBurst: limits.controlBurst,
    controlsPerSecond: limits.controlsPerSecond,
    unsentControlBytes,
    unsentBytes: limits.unsentBytes,
    rememberedResets,
    openingMs: limits.openingMs,
    lingerMs: uploadMs,
    lingerBytes: uploadBytes,
    goawayMs,
    stallMs: limits.stallMs,
  };
}
