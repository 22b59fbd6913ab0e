/** Returns a hash of the bytes from `start` to `end`: cheap, and easy to collide, so that equal hashes prove nothing. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let index = start; index < end; index++) hash = Math.imul(hash, 31) + (bytes[index] as number);
  // The low bits choose a slot, and the last bytes alone would decide them.
  return hash ^ (hash >>> 15);
}

/** Whether the bytes from `start` to `end` are the same as those of `whole`. */
export function equalBytes(whole: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (whole.length !== end - start) return false;
  for (let index = 0; index < whole.length; index++) if (whole[index] !== bytes[start + index]) return false;
  return true;
}
