// Loads what traces calls, which needs a package that is installed only for it.
import type { CallHooks } from "../call/observer.js";
import { SettingError } from "../program/setting-error.js";
import type { Config } from "./config.js";

export interface Tracing {
  readonly hooks: CallHooks;
  /** What is missing for spans to go anywhere; undefined if nothing is. */
  readonly warning: string | undefined;
}

/** Returns undefined if calls are not to be traced. @throws SettingError if the package is missing */
export async function loadTracing({ isTracing, nameOf }: Config): Promise<Tracing | undefined> {
  if (!isTracing) return undefined;
  const { createTracing, hasTracerProvider } = await importTracing(nameOf("--tracing"));
  const warning = hasTracerProvider()
    ? undefined
    : "--tracing: no OpenTelemetry SDK is registered; load one with NODE_OPTIONS=--import";
  return { hooks: createTracing(), warning };
}

async function importTracing(name: string): Promise<typeof import("../operate/tracing/tracing.js")> {
  try {
    return await import("../operate/tracing/tracing.js");
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw reason;
    const missing = "@opentelemetry/api";
    throw new SettingError(`${name}: expected the package ${missing}, found none; npm install ${missing}`, 1);
  }
}
