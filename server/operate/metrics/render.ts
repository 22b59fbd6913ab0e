// Snapshots of metrics, of one process or of several, and their text.
import { AggregatorRegistry, type Metric, Registry, type RegistryContentType } from "prom-client";
import type { Sample } from "./families.js";

/** One metric at one moment. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  /** How prom-client brings the values of several processes together: `sum`, `first`, `min`, `max`, `average` or `omit`. */
  readonly aggregator: string;
  readonly values: readonly Sample[];
}

/** All metrics of one process at one moment, as plain data: a worker can send it to its primary. */
export type MetricsSnapshot = readonly MetricSnapshot[];

/** The text of metrics, and its content type. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** Returns all metrics of a registry. */
export async function readSnapshot(registry: Pick<Registry, "getMetricsAsJSON">): Promise<MetricsSnapshot> {
  // prom-client's types have an enum for what is text, and forget the names of samples.
  return (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
}

/**
 * Writes metrics as text: that of Prometheus (0.0.4), or OpenMetrics (1.0.0) where `accept` asks for it.
 *
 * @param snapshots of one process, or of several, whose metrics are added up by prom-client's `AggregatorRegistry`
 * @param accept the request header of that name
 */
export async function renderMetrics(snapshots: readonly MetricsSnapshot[], accept = ""): Promise<MetricsText> {
  const isOpenMetrics = accept.includes("application/openmetrics-text");
  const registry = new Registry<RegistryContentType>();
  if (isOpenMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of await addUp(snapshots)) {
    // In OpenMetrics the name of a counter has no suffix, and the registry adds it to the samples.
    const isNamed = isOpenMetrics && metric.type === "counter";
    const named = isNamed ? { ...metric, name: metric.name.replace(/_total$/, "") } : metric;
    registry.registerMetric(toRegistryMetric(named, () => named));
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

async function addUp(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const [only, ...others] = snapshots;
  if (only === undefined) return [];
  return others.length === 0 ? only : readSnapshot(AggregatorRegistry.aggregate([...snapshots]));
}

/**
 * Makes a metric whose values are read when it is collected. prom-client's own hash the labels at every change.
 *
 * @param read returns the metric with its values. A registry of OpenMetrics changes the name, and expects it changed here, too.
 */
export function toRegistryMetric(
  head: Pick<MetricSnapshot, "name" | "type">,
  read: () => Omit<MetricSnapshot, "name">,
): Metric {
  const metric = {
    name: head.name,
    type: head.type,
    async get(): Promise<MetricSnapshot> {
      return { ...read(), name: metric.name };
    },
    // Counters only grow.
    reset() {},
  };
  // A registry uses no more of a metric than this.
  return metric as unknown as Metric;
}
