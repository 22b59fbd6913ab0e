// What keeps upstreams from being served for now, and may pass by itself.

/** Upstreams cannot be reached, or do not respond in time, and nothing else is wrong. The message has a line for each. */
export class AbsentUpstreamError extends Error {
  override readonly name = "AbsentUpstreamError";
}
