// Bytes of HTTP/2 requests, for tests that write them themselves.
import { encodeFrame, encodeHeaders, frameFlags, frameTypes, preface } from "./http2-frames.js";

export const unaryPath = "/manywire.test.v1.TestService/Unary";

type Fields = readonly (readonly [name: string, value: string])[];

/**
 * What a client begins with: the preface, its SETTINGS, each an identifier (RFC 9113 section 6.5.2) and a value, and its
 * acknowledgement of the server's, which it cannot have read yet.
 */
export function opening(settings: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  const acknowledgement = encodeFrame(frameTypes.settings, frameFlags.ack, 0);
  return Buffer.concat([preface, encodeFrame(frameTypes.settings, 0, 0, payload), acknowledgement]);
}

/** The header fields of a call. */
export function callFields(fields: Record<string, string> = {}): Fields {
  const all = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": "localhost",
    ":path": unaryPath,
    "content-type": "application/json",
    ...fields,
  };
  return Object.entries(all);
}

/** HEADERS of a call, with the end of its headers. */
export function callHead(stream: number, fields: Record<string, string> = {}, flags = 0): Buffer {
  return encodeFrame(frameTypes.headers, frameFlags.endHeaders | flags, stream, encodeHeaders(callFields(fields)));
}

/** DATA. */
export function data(stream: number, bytes: Uint8Array, flags = 0): Buffer {
  return encodeFrame(frameTypes.data, flags, stream, bytes);
}

/** DATA of any length, in frames of at most 16 KiB, the last of which ends the stream. */
export function wholeData(stream: number, bytes: Buffer): Buffer {
  const size = 16 * 1024;
  const frames: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size)
    frames.push(data(stream, bytes.subarray(start, start + size)));
  return Buffer.concat([...frames, data(stream, Buffer.alloc(0), frameFlags.endStream)]);
}

/** RST_STREAM with CANCEL. */
export function cancel(stream: number): Buffer {
  return encodeFrame(frameTypes.rstStream, 0, stream, uint32(8));
}

/** GOAWAY with an error code. */
export function goaway(code: number): Buffer {
  return encodeFrame(frameTypes.goaway, 0, 0, Buffer.concat([uint32(0), uint32(code)]));
}

/** WINDOW_UPDATE. */
export function grant(stream: number, bytes: number): Buffer {
  return encodeFrame(frameTypes.windowUpdate, 0, stream, uint32(bytes));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
