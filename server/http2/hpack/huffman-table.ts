// The Huffman code: RFC 7541, appendix B. The code is canonical: codes of one length follow each other in the order of their
// symbols, and those of the next length go on where they end. So the lengths say all.

/** The end of a string. Never encoded: padding is its beginning. */
export const endOfString = 256;

/** Length of a code in bits → its symbols. */
const symbolsByLength: ReadonlyMap<number, readonly number[]> = new Map([
  [5, symbols("012aceiost")],
  [6, symbols(" %-./3456789=A_bdfghlmnpru")],
  [7, symbols(":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz")],
  [8, symbols("&*,;XZ")],
  [10, symbols('!"()?')],
  [11, symbols("'+|")],
  [12, symbols("#>")],
  [13, symbols("\0$@[]~")],
  [14, symbols("^}")],
  [15, symbols("<`{")],
  [19, symbols("\\\xc3\xd0")],
  [20, symbols("\x80\x82\x83\xa2\xb8\xc2\xe0\xe2")],
  [21, symbols("\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6")],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198,
      228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
      183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  [
    28,
    [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249],
  ],
  [30, [10, 13, 22, endOfString]],
]);

function symbols(text: string): number[] {
  return [...text].map((symbol) => symbol.charCodeAt(0));
}

/** Symbol → its code, right-aligned. */
export const huffmanCodes: Uint32Array = new Uint32Array(257);
/** Symbol → the length of its code in bits. */
export const huffmanLengths: Uint8Array = new Uint8Array(257);

let code = 0;
let codeLength = 0;
for (const [length, members] of symbolsByLength) {
  code <<= length - codeLength;
  codeLength = length;
  for (const symbol of members) {
    huffmanCodes[symbol] = code++;
    huffmanLengths[symbol] = length;
  }
}
