// What the package exports as `manywire/metrics`.
export { createMetrics, type Metrics, type MetricsOptions, type WatchedServer } from "./metrics.js";
export { type MetricSnapshot, type MetricsSnapshot, type MetricsText, renderMetrics } from "./render.js";
export { serveMetrics } from "./serve.js";
