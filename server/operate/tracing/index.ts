// What the package exports as `manywire/tracing`.
export { createTracing, type TracingOptions } from "./tracing.js";
