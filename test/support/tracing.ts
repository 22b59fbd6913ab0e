// OpenTelemetry for tests: what is registered for the process, and the spans and measurements of one server.
import {
  type Attributes,
  context,
  createNoopMeter,
  type Histogram,
  type MeterProvider,
  propagation,
  type TracerProvider,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

/** Registers the context and the headers of the W3C, as an SDK does. Once for a process. */
export function registerPropagation(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

interface Measurement {
  readonly name: string;
  readonly seconds: number;
  readonly attributes: Attributes | undefined;
}

/** Keeps spans that have ended, and what histograms record. */
export class Recorder {
  readonly #exporter = new InMemorySpanExporter();
  readonly tracerProvider: TracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#exporter)],
  });
  readonly measurements: Measurement[] = [];
  readonly meterProvider: MeterProvider = {
    getMeter: () => Object.assign(createNoopMeter(), { createHistogram: (name: string) => this.#histogram(name) }),
  };

  /** The spans that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  reset(): void {
    this.#exporter.reset();
    this.measurements.length = 0;
  }

  #histogram(name: string): Histogram {
    return { record: (seconds, attributes) => void this.measurements.push({ name, seconds, attributes }) };
  }
}
