// The metrics of servers: names, help texts, and how their values follow from counters.
import { Code } from "@connectrpc/connect";
import { refusalReasons } from "../../counters.js";
import type { ServerStats } from "../../stats.js";
import type { UpstreamStats } from "../../upstream/stats.js";
import type { CallCounts, MethodCounts } from "./call-counts.js";

/** One value of a metric. */
export interface Sample {
  /** Name, if it is not that of the metric: of a histogram's parts. */
  readonly metricName?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its label values. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly collect: (source: Source) => Sample[];
}

/** What all metrics are made of. */
export interface Source {
  readonly methods: readonly MethodCounts[];
  readonly servers: readonly ServerStats[];
}

/** OK and the codes of errors, by number, as grpc-go spells them. */
const codeNames: readonly string[] = ["OK", ...Array.from({ length: 16 }, (_, index) => Code[index + 1] ?? "")];

const call = "with grpc_type, grpc_service, grpc_method and protocol";

/** @param boundsSeconds upper bounds of the buckets of durations, ascending */
export function createFamilies(boundsSeconds: readonly number[]): Family[] {
  const histogram = (name: string) => createHistogram(name, boundsSeconds);
  const [handling, upstreamHandling] = ["grpc_server_handling_seconds", "manywire_upstream_handling_seconds"] as const;
  return [
    // The names and labels of https://github.com/grpc-ecosystem/go-grpc-middleware/tree/v2.3.2/providers/prometheus.
    counter("grpc_server_started_total", `Calls that have started, ${call}.`, ({ methods }) =>
      ofCalls(methods, ({ started }) => started),
    ),
    counter("grpc_server_handled_total", `Calls that have ended, ${call}, and the code.`, ({ methods }) =>
      eachCall(methods, (labels, { handled }) => byCode(labels, handled)),
    ),
    counter("grpc_server_msg_received_total", `Request messages of calls that have ended, ${call}.`, ({ methods }) =>
      ofCalls(methods, ({ messagesReceived }) => messagesReceived),
    ),
    counter("grpc_server_msg_sent_total", `Response messages of calls that have ended, ${call}.`, ({ methods }) =>
      ofCalls(methods, ({ messagesSent }) => messagesSent),
    ),
    {
      name: handling,
      help: `Duration of calls, from the head of the request to the end of the response, ${call}.`,
      type: "histogram",
      collect: ({ methods }) => eachCall(methods, histogram(handling)),
    },
    gauge("manywire_calls_in_flight", "Calls that have started and not ended, by protocol.", ({ methods }) =>
      sumSamples(eachCall(methods, ({ protocol = "" }, counts) => [{ labels: { protocol }, value: inFlight(counts) }])),
    ),
    gauge("manywire_connections", "Open connections, by HTTP version: 1.1, 2, or opening.", ({ servers }) =>
      sumSamples(
        servers.flatMap(({ connections: { http1, http2, opening } }) =>
          by("http_version", { "1.1": http1, "2": http2, opening }),
        ),
      ),
    ),
    counter("manywire_connections_accepted_total", "Connections that were accepted.", ({ servers }) =>
      total(servers, ({ accepted }) => accepted),
    ),
    counter("manywire_received_bytes_total", "Bytes that connections have received.", ({ servers }) =>
      total(servers, ({ bytes }) => bytes.received),
    ),
    counter("manywire_sent_bytes_total", "Bytes that connections have sent.", ({ servers }) =>
      total(servers, ({ bytes }) => bytes.sent),
    ),
    counter(
      "manywire_refused_total",
      "Requests, connections and streams that were refused, by reason.",
      ({ servers }) =>
        sumSamples([
          ...refusalReasons.map((reason) => ({ labels: { reason }, value: 0 })),
          ...servers.flatMap(({ refused }) => by("reason", refused)),
        ]),
    ),
    counter("manywire_stream_resets_total", "HTTP/2 streams that were reset, by client or server.", ({ servers }) =>
      sumSamples(servers.flatMap(({ resets }) => by("by", resets))),
    ),
    gauge("manywire_upstream_connections", "Open connections to an upstream.", ({ servers }) =>
      ofUpstreams(servers, ({ connections }) => connections),
    ),
    gauge("manywire_upstream_addresses", "Addresses of an upstream, by state.", ({ servers }) =>
      sumSamples(
        upstreamsOf(servers).flatMap(({ url, addresses }) =>
          by("state", addresses).map(({ labels, value }) => ({ labels: { upstream: url, ...labels }, value })),
        ),
      ),
    ),
    gauge("manywire_upstream_calls_in_flight", "Calls on the connections to an upstream.", ({ servers }) =>
      ofUpstreams(servers, ({ activeCalls }) => activeCalls),
    ),
    gauge("manywire_upstream_calls_waiting", "Calls that wait for a connection to an upstream.", ({ servers }) =>
      ofUpstreams(servers, ({ waitingCalls }) => waitingCalls),
    ),
    counter("manywire_upstream_retries_total", "Calls that were sent to an upstream again.", ({ servers }) =>
      ofUpstreams(servers, ({ retries }) => retries),
    ),
    counter("manywire_upstream_handled_total", "Calls to an upstream that have ended, by code.", ({ methods }) =>
      sumSamples(eachForwarded(methods, (labels, { handled }) => byCode(labels, handled))),
    ),
    {
      name: upstreamHandling,
      help: "Duration of calls to an upstream, from the head of the request to the end of the response.",
      type: "histogram",
      collect: ({ methods }) => sumSamples(eachForwarded(methods, histogram(upstreamHandling))),
    },
  ];
}

const counter = (name: string, help: string, collect: Family["collect"]): Family => {
  return { name, help, type: "counter", collect };
};
const gauge = (name: string, help: string, collect: Family["collect"]): Family => {
  return { name, help, type: "gauge", collect };
};

type Labels = Sample["labels"];
type ToSamples = (labels: Labels, counts: CallCounts) => Sample[];

/** Methods of one name that several upstreams have served count together. */
function eachCall(methods: readonly MethodCounts[], toSamples: ToSamples): Sample[] {
  const samples = methods.flatMap(({ type, service, method, protocols }) =>
    [...protocols].flatMap(([protocol, counts]) =>
      toSamples({ grpc_type: type, grpc_service: service, grpc_method: method, protocol }, counts),
    ),
  );
  return methods.some(({ upstream }) => upstream !== undefined) ? sumSamples(samples) : samples;
}

function ofCalls(methods: readonly MethodCounts[], read: (counts: CallCounts) => number): Sample[] {
  return eachCall(methods, (labels, counts) => [{ labels, value: read(counts) }]);
}

function eachForwarded(methods: readonly MethodCounts[], toSamples: ToSamples): Sample[] {
  return methods.flatMap(({ upstream, protocols }) =>
    upstream === undefined ? [] : [...protocols.values()].flatMap((counts) => toSamples({ upstream }, counts)),
  );
}

function byCode(labels: Labels, handled: readonly number[]): Sample[] {
  return handled.map((value, code) => ({ labels: { ...labels, grpc_code: codeNames[code] ?? "" }, value }));
}

function inFlight({ started, handled }: CallCounts): number {
  return handled.reduce((rest, count) => rest - count, started);
}

function createHistogram(name: string, boundsSeconds: readonly number[]): ToSamples {
  const bounds = [...boundsSeconds.map(String), "+Inf"];
  return (labels, { buckets, seconds }) => {
    let count = 0;
    const cumulative = buckets.map((inBucket, index) => {
      count += inBucket;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[index] ?? "" }, value: count };
    });
    return [
      ...cumulative,
      { metricName: `${name}_sum`, labels, value: seconds },
      { metricName: `${name}_count`, labels, value: count },
    ];
  };
}

function upstreamsOf(servers: readonly ServerStats[]): readonly UpstreamStats[] {
  return servers.flatMap(({ upstreams }) => upstreams);
}

function ofUpstreams(servers: readonly ServerStats[], read: (stats: UpstreamStats) => number): Sample[] {
  return sumSamples(upstreamsOf(servers).map((stats) => ({ labels: { upstream: stats.url }, value: read(stats) })));
}

function total(servers: readonly ServerStats[], read: (stats: ServerStats) => number): Sample[] {
  return [{ labels: {}, value: servers.reduce((value, stats) => value + read(stats), 0) }];
}

function by(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** Adds the values of samples with equal labels. */
export function sumSamples(samples: readonly Sample[]): Sample[] {
  const byLabels = new Map<string, Sample>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.metricName, sample.labels]);
    const value = (byLabels.get(key)?.value ?? 0) + sample.value;
    byLabels.set(key, { ...sample, value });
  }
  return [...byLabels.values()];
}
