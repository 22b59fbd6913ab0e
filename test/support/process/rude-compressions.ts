// Compressions that do what no compression should, by name.
import type { ServerOptions } from "../../../server/index.js";

type Compression = NonNullable<ServerOptions["acceptCompression"]>[number];

function rude(name: string, run: () => Promise<unknown>): Compression {
  return { name, compress: run, decompress: run } as Compression;
}

export const rudeCompressions: Compression[] = [
  rude("throws", () => {
    throw new Error("secret");
  }),
  rude("rejects", () => Promise.reject(new Error("secret"))),
  rude("nothing", async () => undefined),
];
