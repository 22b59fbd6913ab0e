// Makes strings of UTF-8 (https://encoding.spec.whatwg.org/#utf-8-decoder).

/** Up to about this length a call into the platform costs more than joining characters. */
const maxJoined = 8;
/** Up to about this length a loop over ASCII and a copy of its bytes cost less than decoding UTF-8. */
const maxLoopBytes = 32;

// A byte order mark is a character like any other.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What Node has for slices of bytes, which takes a third of the time of a `TextDecoder`. */
interface Slices {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
}

const slices = (typeof Buffer === "undefined" ? undefined : Buffer.prototype) as Slices | undefined;

/** Returns the text of some of the bytes; undefined if they are no UTF-8. */
export function textOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  if (length <= maxJoined) return join(bytes, start, end);
  if (length <= maxLoopBytes && isAscii(bytes, start, end)) return asciiOf(bytes, start, end);
  if (slices === undefined) return decodeUtf8(bytes, start, end);
  const text = slices.utf8Slice.call(bytes, start, end);
  // What stands for invalid bytes may also be a character of the text.
  return text.includes("\ufffd") ? decodeUtf8(bytes, start, end) : text;
}

/** Returns the text of some of the bytes, which are ASCII. */
export function asciiOf(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length <= maxJoined) return joinAscii(bytes, start, end);
  return slices === undefined ? decoder.decode(bytes.subarray(start, end)) : slices.latin1Slice.call(bytes, start, end);
}

function joinAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index] as number);
  return text;
}

/** Texts that come again and again, such as keys of maps, by a hash of their bytes. */
const shared: string[] = new Array(256).fill("");
/** Longer texts are not shared. */
const maxSharedBytes = 32;

/** Does what `textOf` does. Equal short texts of ASCII are the same string. */
export function sharedTextOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  let hash = end - start;
  if (hash > maxSharedBytes) return textOf(bytes, start, end);
  for (let index = start; index < end; index++) hash = (Math.imul(hash, 31) + (bytes[index] as number)) | 0;
  const slot = hash & 0xff;
  const known = shared[slot] as string;
  if (isText(known, bytes, start, end)) return known;
  const text = textOf(bytes, start, end);
  if (text !== undefined) shared[slot] = text;
  return text;
}

/** Whether the bytes are those of a text in ASCII. */
function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    const byte = bytes[start + index] as number;
    if (byte >= 0x80 || text.charCodeAt(index) !== byte) return false;
  }
  return true;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let index = start; index < end; index++) all |= bytes[index] as number;
  return all < 0x80;
}

/** Decodes with a `TextDecoder`. Returns undefined for invalid bytes. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined; // The only error there is says that the bytes are invalid.
  }
}

function join(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let index = start;
  while (index < end) {
    const byte = bytes[index++] as number;
    if (byte < 0x80) {
      text += String.fromCharCode(byte);
      continue;
    }
    const more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    if (byte < 0xc2 || byte > 0xf4 || index + more > end) return undefined;
    let code = byte & (0x3f >> more);
    for (const last = index + more; index < last; index++) {
      const next = bytes[index] as number;
      if (next >> 6 !== 2) return undefined;
      code = (code << 6) | (next & 0x3f);
    }
    // Longer forms than needed, surrogates, and what is beyond Unicode.
    if (code < leastCodes[more] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}

const leastCodes = [0, 0x80, 0x800, 0x10000] as const;
