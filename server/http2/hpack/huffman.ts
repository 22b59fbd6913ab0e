// Strings in the Huffman code of RFC 7541, section 5.2.
import { endOfString, huffmanCodes, huffmanLengths } from "./huffman-table.js";

// Decoding is a state machine that takes four bits a step. A state is an inner node of the tree of codes: what has been read
// of a code. Its table has 16 KB and stays in the first-level cache; one for eight bits would have 256 KB.

const root = 0;
/** After the code of the end of string, which must not come. */
const dead = 256;
/** (state << 4 | four bits) → isSymbolComplete << 24 | next state << 8 | symbol. One symbol at most: no code is shorter than five bits. */
const steps = new Uint32Array((dead + 1) << 4);
/** Whether a string may end in this state: the rest is at most seven bits, and all of them ones. */
const isEnd = new Uint8Array(dead + 1);

buildStates();

/** Returns the room that decoding of so many bytes takes: no code is shorter than five bits, and one byte is written ahead. */
export function roomToDecode(encodedLength: number): number {
  return Math.floor((encodedLength * 8) / 5) + 1;
}

/**
 * Decodes the bytes from `start` to `end` to the beginning of `into`, which has `roomToDecode`.
 *
 * @returns how many bytes they became, or -1 if they are not a string in this code
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let state = root;
  let length = 0;
  for (let index = start; index < end; index++) {
    const octet = bytes[index] as number;
    const first = steps[(state << 4) | (octet >> 4)] as number;
    // Written in any case and kept if complete: a branch here would be mispredicted half of the time.
    into[length] = first;
    length += first >> 24;
    const second = steps[((first >> 4) & 0x1ff0) | (octet & 15)] as number;
    into[length] = second;
    length += second >> 24;
    state = (second >> 8) & 0x1ff;
  }
  return isEnd[state] === 1 ? length : -1;
}

/** Returns the length of the text in this code, in bytes. Characters over 0xff count as "?". */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) bits += huffmanLengths[latin1At(text, index)] as number;
  return (bits + 7) >> 3;
}

/**
 * Encodes the text to `into`, from `position` on, where there is room for `huffmanLength`.
 *
 * @returns the position after it
 */
export function encodeHuffman(text: string, into: Uint8Array, position: number): number {
  let at = position;
  let bits = 0;
  let bitCount = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = latin1At(text, index);
    let code = huffmanCodes[symbol] as number;
    let length = huffmanLengths[symbol] as number;
    // Up to seven bits wait, and 32 fit.
    if (length > 24) {
      length -= 8;
      bits = (bits << 8) | (code >>> length);
      code &= (1 << length) - 1;
      into[at++] = bits >>> bitCount;
    }
    bits = (bits << length) | code;
    bitCount += length;
    while (bitCount >= 8) {
      bitCount -= 8;
      into[at++] = bits >>> bitCount;
    }
  }
  if (bitCount > 0) into[at++] = (bits << (8 - bitCount)) | (0xff >> bitCount);
  return at;
}

/** Returns the byte that stands for a character of a field: "?" for one over 0xff, which must not become another one. */
export function latin1At(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit > 0xff ? 0x3f : unit;
}

type Node = { state: number; readonly children: [Node | number | undefined, Node | number | undefined] };

function buildStates(): void {
  const nodes: Node[] = [];
  const newNode = (): Node => {
    const node: Node = { state: nodes.length, children: [undefined, undefined] };
    nodes.push(node);
    return node;
  };
  const tree = newNode();
  for (let symbol = 0; symbol <= endOfString; symbol++) addCode(tree, symbol, newNode);
  for (const node of nodes)
    for (let bits = 0; bits < 16; bits++) steps[(node.state << 4) | bits] = step(tree, node, bits);
  steps.fill(dead << 8, dead << 4);
  let padding: Node | number | undefined = tree;
  for (let length = 0; length < 8 && typeof padding === "object"; length++) {
    isEnd[padding.state] = 1;
    padding = padding.children[1];
  }
}

function addCode(tree: Node, symbol: number, newNode: () => Node): void {
  const code = huffmanCodes[symbol] as number;
  let node = tree;
  for (let shift = (huffmanLengths[symbol] as number) - 1; shift > 0; shift--) {
    const bit = (code >>> shift) & 1;
    const child = node.children[bit] ?? newNode();
    node.children[bit] = child;
    if (typeof child === "object") node = child;
  }
  node.children[code & 1] = symbol;
}

/** Follows four bits from a node. */
function step(tree: Node, from: Node, bits: number): number {
  let node = from;
  let output = 0;
  for (let shift = 3; shift >= 0; shift--) {
    const child = node.children[(bits >> shift) & 1];
    if (child === endOfString || child === undefined) return dead << 8;
    if (typeof child === "number") output = (1 << 24) | child;
    node = typeof child === "number" ? tree : child;
  }
  return output | (node.state << 8);
}
