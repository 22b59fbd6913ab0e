// The interceptors that settings ask for, in the order in which calls pass through them.
import type { Interceptor } from "@connectrpc/connect";
import { SettingError } from "../program/setting-error.js";
import { authSettings, type Guards, openAuth } from "./auth.js";
import type { Config } from "./config.js";
import type { RateLimitSettings } from "./rate-limit-settings.js";

/**
 * Limits by address are first, so that they hold for callers without a valid token, too. Other limits may be by who calls.
 *
 * @throws SettingError if a setting is wrong, a package is missing, or calls would pass that interceptors do not see
 */
export async function openInterceptors(config: Config): Promise<Guards> {
  const { rateLimits, validates, nameOf } = config;
  const names = [
    ...authSettings(config),
    ...rateLimits.map(({ name }) => name),
    ...(validates ? [nameOf("--validate")] : []),
  ];
  if (names.length === 0) return { interceptors: [], renewKeys: undefined };
  if (config.upstreams.some(({ options }) => options.passUnknownMethods === true)) {
    throw new SettingError(`${names[0]}: expected no --pass-unknown beside it, whose calls are not decoded`, 2);
  }
  // Loaded only here: most servers have none.
  const { rateLimit } = await import("../interceptors/rate-limit.js");
  const isByAddress = ({ options: { key = "peer" } }: RateLimitSettings) => key === "peer";
  const limits = (isWanted: (limit: RateLimitSettings) => boolean) =>
    rateLimits.filter(isWanted).map(({ options }) => rateLimit(options));
  const { interceptors, renewKeys } = await openAuth(config);
  const ofAll = [
    ...limits(isByAddress),
    ...interceptors,
    ...limits((limit) => !isByAddress(limit)),
    ...(validates ? [await openValidation(nameOf("--validate"))] : []),
  ];
  return { interceptors: ofAll, renewKeys };
}

async function openValidation(name: string): Promise<Interceptor> {
  const { createValidation } = await import("../interceptors/validation.js");
  try {
    return await createValidation(name, {});
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error), 1);
  }
}
