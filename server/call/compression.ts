// Holds a compression of the application to its interface, so that a faulty one ends a call with an error, and nothing else.
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";

/**
 * The same compression, whose methods never throw at once and resolve to bytes only. What else happens is rejected as
 * `internal`, with the reason as its `cause`. A ConnectError of `decompress` is passed on: it is about bytes that are not
 * compressed so, or of too many.
 */
export function guardCompression(compression: Compression): Compression {
  const { name } = compression;
  return {
    name,
    async compress(bytes) {
      try {
        return checkBytes(await compression.compress(bytes));
      } catch (reason) {
        throw failed(`${name} compression`, reason);
      }
    },
    async decompress(bytes, readMaxBytes) {
      try {
        return checkBytes(await compression.decompress(bytes, readMaxBytes));
      } catch (reason) {
        throw reason instanceof ConnectError ? reason : failed(`${name} decompression`, reason);
      }
    },
  };
}

function checkBytes(result: unknown): Uint8Array<ArrayBuffer> {
  if (result instanceof Uint8Array) return result as Uint8Array<ArrayBuffer>;
  throw new TypeError(`expected a Uint8Array, found ${typeof result}`);
}

function failed(what: string, cause: unknown): ConnectError {
  return new ConnectError(`${what} failed`, Code.Internal, undefined, undefined, cause);
}
