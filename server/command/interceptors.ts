// The interceptors that settings ask for, in the order in which calls pass through them.
import type { Interceptor } from "@connectrpc/connect";
import { SettingError } from "../program/setting-error.js";
import type { Config } from "./config.js";

/** @throws SettingError if a package is missing, or if calls would pass that interceptors do not see */
export async function openInterceptors(config: Config): Promise<Interceptor[]> {
  const { rateLimits, validates, nameOf } = config;
  const names = [...rateLimits.map(({ name }) => name), ...(validates ? [nameOf("--validate")] : [])];
  if (names.length === 0) return [];
  if (config.upstreams.some(({ options }) => options.passUnknownMethods === true)) {
    throw new SettingError(`${names[0]}: expected no --pass-unknown beside it, whose calls are not decoded`, 2);
  }
  // Loaded only here: most servers have none.
  const { rateLimit } = await import("../interceptors/rate-limit.js");
  const limits = rateLimits.map(({ options }) => rateLimit(options));
  return validates ? [...limits, await openValidation(nameOf("--validate"))] : limits;
}

async function openValidation(name: string): Promise<Interceptor> {
  const { createValidation } = await import("../interceptors/validation.js");
  try {
    return await createValidation(name, {});
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error), 1);
  }
}
