// Servers to forward calls to, as the settings name them: files have not been read yet.
import type { UpstreamOptions } from "../upstream/options.js";
import type { Flag, Given } from "./settings.js";

/** A server to forward calls to. */
export interface UpstreamSettings {
  /** Options that need no file. */
  readonly options: Omit<UpstreamOptions, "tls" | "descriptorSet" | "reflection" | "schemaCache">;
  /** Whether to ask its reflection. */
  readonly reflection?: Given<boolean> | undefined;
  /** Host that the certificate of the server has to be of. */
  readonly serverName?: string | undefined;
  readonly files: UpstreamFiles;
}

/** Paths, and the names of their settings. */
export interface UpstreamFiles {
  readonly ca?: Given<string> | undefined;
  readonly cert?: Given<string> | undefined;
  readonly key?: Given<string> | undefined;
  readonly proto?: Given<string> | undefined;
  readonly schema?: Given<string> | undefined;
}

/** The upstreams that `--upstream` names. Other flags hold for each of them. */
export function upstreamsOf(given: ReadonlyMap<Flag, Given>): readonly UpstreamSettings[] {
  const file = (flag: Flag) => given.get(flag) as Given<string> | undefined;
  const files = { ca: file("--upstream-ca"), proto: file("--proto"), schema: file("--schema") };
  const urls = (given.get("--upstream")?.value ?? []) as readonly string[];
  const reflection = given.get("--no-upstream-reflection") as Given<boolean> | undefined;
  const passes = given.get("--pass-unknown")?.value === true;
  const options = passes ? { passUnknownMethods: true } : {};
  return urls.map((url) => ({ options: { url, ...options }, reflection, files }));
}
