// The structural bytes of JSON, and white space (RFC 8259 section 2).
const code = (character: string): number => character.charCodeAt(0);

export const quote: number = code('"');
export const backslash: number = code("\\");
export const comma: number = code(",");
export const colon: number = code(":");
export const openObject: number = code("{");
export const closeObject: number = code("}");
export const openArray: number = code("[");
export const closeArray: number = code("]");
export const newline: number = code("\n");

/** Whether a byte is white space. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}
