// Traces calls with OpenTelemetry: a SERVER span for each call, and a CLIENT span where it goes on to an upstream.
import { type ConnectError, createContextKey } from "@connectrpc/connect";
import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type MeterProvider,
  metrics,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapSetter,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { requestHeadOf } from "../../call/context-values.js";
import type { CallHooks, ForwardedRequest, StartedCall } from "../../call/observer.js";
import type { RequestHead } from "../../http/exchange.js";
import { isUnexpected } from "../unexpected.js";
import {
  clientNames,
  type MethodNames,
  type Outcome,
  outcomeOf,
  serverAttributes,
  serverNames,
} from "./conventions.js";

export interface TracingOptions {
  /** Default: the one that is registered with `@opentelemetry/api`, now or later. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Default: the one that is registered when the first call starts. */
  readonly meterProvider?: MeterProvider | undefined;
}

/** A call that is under way: its span, and the context that has it. */
interface Traced {
  readonly span: Span;
  readonly context: Context;
}

const tracedKey = createContextKey<Traced | undefined>(undefined, { description: "span of the call" });

const setter: TextMapSetter<ForwardedRequest> = {
  set: (request, name, value) => request.setHeader(name.toLowerCase(), value),
};

/**
 * Makes an observer that traces calls: `createServer({ onCall: createTracing() })`. The context comes from the headers of the
 * request, is the active one of interceptors and handlers, and goes on to upstreams.
 */
export function createTracing({ tracerProvider, meterProvider }: TracingOptions = {}): CallHooks {
  const tracer = (tracerProvider ?? trace).getTracer("manywire");
  const durations = new Durations(meterProvider);
  const upstreams = new Map<string, Attributes>();
  return {
    start(call) {
      const head = requestHeadOf(call.contextValues);
      const parent = propagation.extract(ROOT_CONTEXT, head?.headers ?? {});
      const names = serverNames(call.method, call.protocol);
      const attributes = describeRequest(names, call.peer, head);
      const span = tracer.startSpan(names.spanName, { kind: SpanKind.SERVER, attributes }, parent);
      call.contextValues.set(tracedKey, { span, context: trace.setSpan(parent, span) });
    },
    run(call, work) {
      context.with(tracedOf(call)?.context ?? ROOT_CONTEXT, work);
    },
    forward(call, request) {
      const parent = tracedOf(call)?.context ?? ROOT_CONTEXT;
      const names = clientNames(call.method);
      const upstream = upstreams.get(request.url) ?? upstreamAttributes(request.url);
      upstreams.set(request.url, upstream);
      const attributes = { ...names.spanAttributes, ...upstream };
      const span = tracer.startSpan(names.spanName, { kind: SpanKind.CLIENT, attributes }, parent);
      const own = trace.setSpan(parent, span);
      propagation.inject(own, request, setter);
      const startMs = performance.now();
      return (error) => {
        const outcome = outcomeOf(names, error);
        durations.client((performance.now() - startMs) / 1000, outcome.measured, own);
        endSpan(span, outcome, error);
      };
    },
    end(call) {
      const traced = tracedOf(call);
      if (traced === undefined) return;
      const { error } = call;
      const outcome = outcomeOf(serverNames(call.method, call.protocol), error);
      durations.server(call.durationMs / 1000, outcome.measured, traced.context);
      if (isUnexpected(error)) traced.span.recordException(toException(error.cause));
      endSpan(traced.span, outcome, error);
    },
  };
}

/** Whether an SDK is registered, so that spans go somewhere. */
export function hasTracerProvider(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer("manywire") !== undefined;
}

function tracedOf({ contextValues }: StartedCall): Traced | undefined {
  return contextValues.get(tracedKey);
}

/** Attributes of a SERVER span at its start. One literal, because spreads would cost more than all else here. */
function describeRequest({ spanAttributes }: MethodNames, peer: string, head: RequestHead | undefined): Attributes {
  const server = serverAttributes(head?.scheme ?? "http", head?.authority ?? "");
  return {
    "rpc.system.name": spanAttributes["rpc.system.name"],
    "rpc.method": spanAttributes["rpc.method"],
    "rpc.method_original": spanAttributes["rpc.method_original"],
    "server.address": server["server.address"],
    "server.port": server["server.port"],
    "client.address": peer === "" ? undefined : peer,
    "network.protocol.name": "http",
    "network.protocol.version": head?.httpVersion === 1 ? "1.1" : "2",
  };
}

/** @param url of an upstream; there are only as many as settings have named */
function upstreamAttributes(url: string): Attributes {
  const { protocol, host } = new URL(url);
  return serverAttributes(protocol === "https:" ? "https" : "http", host);
}

function endSpan(span: Span, { attributes, isError }: Outcome, error: ConnectError | undefined): void {
  span.setAttributes(attributes);
  if (isError && error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error.rawMessage });
  span.end();
}

function toException(cause: unknown): Error | string {
  return cause instanceof Error ? cause : String(cause);
}

/** Bounds of the buckets that the conventions advise, in seconds. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

type Record = (seconds: number, attributes: Attributes, context: Context) => void;

/** The histograms of durations. Made when they are first used, because a registered provider counts only afterwards. */
class Durations {
  readonly #provider: MeterProvider | undefined;
  #server: Histogram | undefined;
  #client: Histogram | undefined;

  constructor(provider: MeterProvider | undefined) {
    this.#provider = provider;
  }

  readonly server: Record = (seconds, attributes, context) => {
    this.#server ??= this.#create(
      "rpc.server.call.duration",
      "Duration of calls, from request to the end of the response.",
    );
    this.#server.record(seconds, attributes, context);
  };

  readonly client: Record = (seconds, attributes, context) => {
    this.#client ??= this.#create(
      "rpc.client.call.duration",
      "Duration of calls that were forwarded, until their end.",
    );
    this.#client.record(seconds, attributes, context);
  };

  #create(name: string, description: string): Histogram {
    const meter = (this.#provider ?? metrics).getMeter("manywire");
    const advice = { explicitBucketBoundaries: boundaries };
    return meter.createHistogram(name, { description, unit: "s", advice });
  }
}
