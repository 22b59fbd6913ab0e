// To be imported before the command: an SDK of OpenTelemetry that prints spans as JSON lines when the process exits.
import { writeSync } from "node:fs";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());

process.on("exit", () => {
  for (const { name, kind, parentSpanContext } of exporter.getFinishedSpans()) {
    writeSync(1, `${JSON.stringify({ name, kind, traceId: parentSpanContext?.traceId })}\n`);
  }
});
