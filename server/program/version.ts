import { createRequire } from "node:module";

/** Version of this package. Found by the package's own name, so that it is the same from the sources and from the build. */
export function version(): string {
  const { version } = createRequire(import.meta.url)("manywire/package.json") as { version: string };
  return version;
}
