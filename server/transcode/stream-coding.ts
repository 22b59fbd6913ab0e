// Content codings (RFC 9110 section 8.4.1) of streamed bodies. Every write is flushed: a reader
// must get each message without waiting for the next.
import type { OutgoingHttpHeaders } from "node:http";
import type { Transform } from "node:stream";
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from "node:zlib";
import type { Exchange } from "../http/exchange.js";

interface StreamCoding {
  compress(): Transform;
  decompress(): Transform;
}

/** Beyond this quality Brotli costs more time than it saves bytes of short messages. */
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 }, flush: constants.BROTLI_OPERATION_FLUSH };

const codings: ReadonlyMap<string, StreamCoding> = new Map([
  ["gzip", { compress: () => createGzip({ flush: constants.Z_SYNC_FLUSH }), decompress: () => createGunzip() }],
  ["br", { compress: () => createBrotliCompress(brotli), decompress: () => createBrotliDecompress() }],
]);

/** The coding of this name; undefined if a stream cannot have it. */
export function streamCoding(name: string | undefined): StreamCoding | undefined {
  return name === undefined ? undefined : codings.get(name);
}

/** The body of a response stream. Its head has been sent. */
export interface BodySink {
  /** Returns false if no more should be written before `onRoom`. */
  write(bytes: Uint8Array): boolean;
  end(bytes: Buffer | undefined, trailers: OutgoingHttpHeaders | undefined): void;
  /** Call it when everything written to the exchange was sent. */
  drained(): void;
  /** Releases everything after the client has disconnected. */
  close(): void;
}

/** A body as it is, or compressed on its way. `onRoom` is called when there is room for more after a `write` said no. */
export function createBodySink(exchange: Exchange, coding: StreamCoding | undefined, onRoom: () => void): BodySink {
  if (coding === undefined) {
    return {
      write: (bytes) => exchange.write(bytes),
      end: (bytes, trailers) => exchange.end(bytes, trailers),
      drained: onRoom,
      close: () => {},
    };
  }
  const compressor = coding.compress();
  compressor.on("drain", onRoom);
  compressor.on("error", () => exchange.cut());
  compressor.on("data", (bytes: Buffer) => {
    if (!exchange.isClosed && !exchange.write(bytes)) compressor.pause();
  });
  return {
    write: (bytes) => compressor.write(bytes),
    end(bytes, trailers) {
      compressor.once("end", () => {
        if (!exchange.isClosed) exchange.end(undefined, trailers);
      });
      compressor.end(bytes);
    },
    drained: () => compressor.resume(),
    close: () => compressor.destroy(),
  };
}
