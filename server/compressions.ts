// gzip and Brotli for whole messages, at the levels that pay: docs/deployment.md has the figures.
import { promisify } from "node:util";
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync } from "node:zlib";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli as connectBrotli, compressionGzip as connectGzip } from "@connectrpc/connect-node";

/** Up to this size in bytes, compressing takes the event loop 0.1 ms. The thread pool takes 3 times the processor time. */
const syncMaxBytes = 32 * 1024;

const gzipOptions = { level: 1 };
/** At least as small as gzip, for as much time. Node's default is 11, which takes 40 ms for 20 KB. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } };

const gzipInPool = promisify(gzip);
const brotliInPool = promisify(brotliCompress);

/** gzip at level 1. */
export const compressionGzip: Compression = withCompress(
  connectGzip,
  (bytes) => gzipSync(bytes, gzipOptions),
  (bytes) => gzipInPool(bytes, gzipOptions),
);

/** Brotli at quality 2. */
export const compressionBrotli: Compression = withCompress(
  connectBrotli,
  (bytes) => brotliCompressSync(bytes, brotliOptions),
  (bytes) => brotliInPool(bytes, brotliOptions),
);

function withCompress(
  compression: Compression,
  compress: (bytes: Uint8Array) => Buffer,
  compressInPool: (bytes: Uint8Array) => Promise<Buffer>,
): Compression {
  return {
    ...compression,
    async compress(bytes) {
      const compressed = bytes.length <= syncMaxBytes ? compress(bytes) : await compressInPool(bytes);
      // Node's types say that the bytes may be shared with other threads, which they are not.
      return compressed as Uint8Array<ArrayBuffer>;
    },
  };
}
