// How often clients may call, as the settings say it.
import type { RateLimitOptions } from "../interceptors/index.js";
import type { Rate } from "./setting-kinds.js";
import type { Flag, Given } from "./settings.js";

/** A limit, and the name of its setting for errors. */
export interface RateLimitSettings {
  readonly name: string;
  readonly options: RateLimitOptions;
}

/** The limit that `--rate-limit` sets. */
export function rateLimitsOf(given: ReadonlyMap<Flag, Given>): readonly RateLimitSettings[] {
  const limit = given.get("--rate-limit") as Given<Rate> | undefined;
  return limit === undefined ? [] : [{ name: limit.name, options: limit.value }];
}
