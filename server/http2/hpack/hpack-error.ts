/** A header block that is not HPACK. The decoder is out of step with its peer: COMPRESSION_ERROR for the connection. */
export class HpackError extends Error {
  override readonly name = "HpackError";
}
