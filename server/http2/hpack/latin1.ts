// Bytes as text with one char per byte.

/** Up to here a loop costs less than a call into the platform. */
const maxLoopBytes = 48;
/** Arguments of one call of `String.fromCharCode`. */
const maxArguments = 4096;

/** Returns the bytes from `start` to `end` as latin1. */
export function latin1Slice(bytes: Uint8Array, start: number, end: number): string {
  return end - start <= maxLoopBytes ? sliceShort(bytes, start, end) : sliceLong(bytes, start, end);
}

/** Several chars per call, because each concatenation makes an object. */
function sliceShort(b: Uint8Array, start: number, end: number): string {
  let text = "";
  let i = start;
  for (; i + 8 <= end; i += 8) {
    // biome-ignore format: one octet is one row
    text += char(b[i] as number, b[i + 1] as number, b[i + 2] as number, b[i + 3] as number,
      b[i + 4] as number, b[i + 5] as number, b[i + 6] as number, b[i + 7] as number);
  }
  if (i + 4 <= end) {
    text += char(b[i] as number, b[i + 1] as number, b[i + 2] as number, b[i + 3] as number);
    i += 4;
  }
  for (; i < end; i++) text += char(b[i] as number);
  return text;
}

const char = String.fromCharCode;
const decoder = new TextDecoder();

/** `TextDecoder("latin1")` is windows-1252, so that it serves for ASCII only: as UTF-8 does, which is faster. */
function sliceLong(bytes: Uint8Array, start: number, end: number): string {
  const slice = bytes.subarray(start, end);
  if (isAscii(slice)) return decoder.decode(slice);
  let text = "";
  for (let at = 0; at < slice.length; at += maxArguments) text += char(...slice.subarray(at, at + maxArguments));
  return text;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if ((bytes[index] as number) > 0x7f) return false;
  return true;
}
