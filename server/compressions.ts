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
export const compressionGzip: Compression = {
  name: "gzip",
  async compress(bytes) {
    const isSmall = bytes.length <= syncMaxBytes;
    return toBytes(isSmall ? gzipSync(bytes, gzipOptions) : await gzipInPool(bytes, gzipOptions));
  },
  decompress: connectGzip.decompress,
};

/** Brotli at quality 2. */
export const compressionBrotli: Compression = {
  name: "br",
  async compress(bytes) {
    const isSmall = bytes.length <= syncMaxBytes;
    return toBytes(isSmall ? brotliCompressSync(bytes, brotliOptions) : await brotliInPool(bytes, brotliOptions));
  },
  decompress: connectBrotli.decompress,
};

/** Node's types say that the bytes may be shared with other threads, which they are not. */
function toBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
