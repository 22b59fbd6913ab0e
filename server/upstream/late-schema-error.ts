// What keeps upstreams from being served for now, and may pass by itself.

/** Upstreams have not given their schemas in time, and nothing else is wrong. The message has a line for each. */
export class LateSchemaError extends Error {
  override readonly name = "LateSchemaError";
}
