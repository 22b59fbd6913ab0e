// Parses the header with which a TCP proxy names the client of a connection: the PROXY protocol, versions 1 and 2.
// https://github.com/haproxy/haproxy/blob/v2.6.0/doc/proxy-protocol.txt
import { isIPv4, isIPv6 } from "node:net";
import { normalizePeer } from "../http/peer.js";

/** A whole header. */
export interface ProxyHeader {
  /** Number of bytes of the header. What follows is the client's. */
  readonly bytes: number;
  /** Address of the client; undefined where the proxy speaks for itself, as for a health check, or names no IP address. */
  readonly source: string | undefined;
}

/** The bytes are no header. */
export class ProxyHeaderError extends Error {
  override readonly name = "ProxyHeaderError";

  constructor(message: string) {
    super(`PROXY header: ${message}`);
  }
}

const prefix1 = Buffer.from("PROXY ", "latin1");
const prefix2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** The specification's limit, with CR LF. */
const maxBytes1 = 107;
/** Headers with certificates of clients have some 1,000 bytes. */
const maxBytes2 = 4096;

/**
 * Returns the header at the beginning of `bytes`, or undefined if it is not complete.
 *
 * @throws ProxyHeaderError as soon as the bytes cannot become a header
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (begins(bytes, prefix1)) return bytes.length < prefix1.length ? undefined : parseVersion1(bytes);
  if (begins(bytes, prefix2)) return bytes.length < headBytes2 ? checkHead(bytes) : parseVersion2(bytes);
  throw new ProxyHeaderError("expected one, found other bytes");
}

/** Whether `bytes` begin with the prefix, as far as they go. */
function begins(bytes: Buffer, prefix: Buffer): boolean {
  const known = Math.min(bytes.length, prefix.length);
  return prefix.compare(bytes, 0, known, 0, known) === 0;
}

// Version 1: one line of text, section 2.1

const line = /^PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/;

function parseVersion1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, maxBytes1).indexOf("\r\n", 0, "latin1");
  if (end < 0) {
    if (bytes.length >= maxBytes1) throw new ProxyHeaderError(`expected CR LF in ${maxBytes1} bytes`);
    return undefined;
  }
  const match = line.exec(bytes.toString("latin1", 0, end));
  if (match === null) throw new ProxyHeaderError("malformed line");
  const [, family, source = "", destination = "", ...ports] = match;
  if (family === undefined) return { bytes: end + 2, source: undefined };
  const isAddress = family === "TCP4" ? isIPv4 : isPlainIpv6;
  const isRight = [source, destination].every(isAddress) && ports.every((port) => isPort(port ?? ""));
  if (!isRight) throw new ProxyHeaderError("malformed address");
  return { bytes: end + 2, source: normalizePeer(source) };
}

function isPlainIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(text) && Number(text) <= 65_535;
}

// Version 2: binary, section 2.2

/** Signature, version and command, family and transport, length of the rest. */
const headBytes2 = 16;

const commands = { local: 0x20, proxy: 0x21 } as const;
/** By the high half of the byte for family and transport: the bytes of both addresses, and of one of them that is an IP address. */
const families: readonly { readonly bytes: number; readonly address: number }[] = [
  { bytes: 0, address: 0 },
  { bytes: 12, address: 4 },
  { bytes: 36, address: 16 },
  { bytes: 216, address: 0 },
];
const datagram = 2;

/** @throws ProxyHeaderError if what there is of the head is wrong */
function checkHead(bytes: Buffer): undefined {
  const [command = commands.proxy, family = 0] = bytes.subarray(prefix2.length);
  if (command !== commands.local && command !== commands.proxy) {
    throw new ProxyHeaderError(`unknown version or command 0x${command.toString(16)}`);
  }
  if (family >> 4 >= families.length || (family & 15) >= datagram) {
    throw new ProxyHeaderError(`unknown family or transport 0x${family.toString(16)}`);
  }
}

function parseVersion2(bytes: Buffer): ProxyHeader | undefined {
  checkHead(bytes);
  const length = bytes.readUInt16BE(14);
  const end = headBytes2 + length;
  if (end > maxBytes2) throw new ProxyHeaderError(`expected at most ${maxBytes2} bytes, found ${end}`);
  if (bytes.length < end) return undefined;
  // The rest of a local header means nothing.
  if (bytes[12] === commands.local) return { bytes: end, source: undefined };
  const { bytes: addressBytes, address } = families[(bytes[13] ?? 0) >> 4] ?? { bytes: 0, address: 0 };
  if (length < addressBytes) throw new ProxyHeaderError("incomplete address");
  checkExtensions(bytes.subarray(0, end), headBytes2 + addressBytes);
  const source = bytes.subarray(headBytes2, headBytes2 + address);
  return { bytes: end, source: address === 0 ? undefined : formatAddress(source) };
}

const crc32cType = 3;

/** Checks that the extensions (TLVs) fill the rest of the header, and the checksum if there is one: section 2.2.3. */
function checkExtensions(header: Buffer, start: number): void {
  let at = start;
  while (at < header.length) {
    const length = at + 3 <= header.length ? header.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY;
    const value = at + 3;
    if (value + length > header.length) throw new ProxyHeaderError("incomplete extension");
    if (header[at] === crc32cType) checkSum(header, value, length);
    at = value + length;
  }
}

function checkSum(header: Buffer, at: number, length: number): void {
  // It is that of the header with zeros in its own place.
  const summed = Buffer.from(header).fill(0, at, at + length);
  if (length !== 4 || header.readUInt32BE(at) !== crc32c(summed)) throw new ProxyHeaderError("wrong checksum");
}

/** CRC-32C (RFC 9260 appendix A), bit by bit: few headers have one, and those are short. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xff_ff_ff_ff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82_f6_3b_78 : 0);
  }
  return (sum ^ 0xff_ff_ff_ff) >>> 0;
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return normalizePeer(groups.join(":"));
}
