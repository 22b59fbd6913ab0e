// What is measured beside rates, each with its own way and its own table.
import { measureClients } from "./client.js";
import { measureCodec } from "./codec-study.js";
import { measureHalfLoad } from "./half-load.js";
import { measureIdle } from "./idle.js";
import { buildPaced } from "./load/paced.js";
import { measureMemory } from "./memory.js";
import { measureOpenLoop, measureProxyLatency } from "./open-loop.js";
import { measureOverload } from "./overload.js";
import { isAvailable } from "./peers/foreign.js";
import * as text from "./report/text.js";
import { measureWorkers } from "./workers.js";

/**
 * @typedef {object} Study
 * @property {string} name as on the command line
 * @property {string} title
 * @property {"halfLoad" | "openLoop" | "overload" | "workers" | "proxyLatency" | "memory" | "idle" | "clients" | "codec"} key of its results in the JSON
 * @property {boolean} [needsGo] left out where Go is missing
 * @property {() => void} [build]
 * @property {(unary: import("./scenarios.js").Scenario, bench: import("./peer.js").Bench) => Promise<any>} measure
 * @property {(results: any) => string} format as a table of text
 */

/** @type {readonly Study[]} */
export const studies = [
  {
    name: "half-load",
    title: "p50 and p99 at half the load that a server can take",
    key: "halfLoad",
    needsGo: true,
    build: buildPaced,
    measure: measureHalfLoad,
    format: text.formatHalfLoad,
  },
  {
    name: "open-loop",
    title: "p50 and p99 at 20,000 and 60,000 calls a second",
    key: "openLoop",
    needsGo: true,
    build: buildPaced,
    measure: measureOpenLoop,
    format: text.formatOpenLoop,
  },
  {
    name: "proxy-latency",
    title: "p50 and p99 at 10,000 calls a second, through proxies",
    key: "proxyLatency",
    needsGo: true,
    build: buildPaced,
    measure: measureProxyLatency,
    format: text.formatProxyLatency,
  },
  {
    name: "overload",
    title: "what a server does with up to three times the calls that it can take",
    key: "overload",
    needsGo: true,
    build: buildPaced,
    measure: measureOverload,
    format: text.formatOverload,
  },
  {
    name: "workers",
    title: "what a second of processor time serves, with one worker and with one for each processor",
    key: "workers",
    measure: measureWorkers,
    format: text.formatWorkers,
  },
  {
    name: "memory",
    title: "resident memory over many calls",
    key: "memory",
    measure: measureMemory,
    format: text.formatMemory,
  },
  {
    name: "idle",
    title: "memory of an idle HTTP/2 connection",
    key: "idle",
    measure: measureIdle,
    format: text.formatIdle,
  },
  {
    name: "client",
    title: "processor time of clients, with grpc-go as the server",
    key: "clients",
    needsGo: true,
    measure: measureClients,
    format: text.formatClients,
  },
  {
    name: "codec",
    title: "the codec alone, beside protobufjs, protobuf-es and JSON",
    key: "codec",
    measure: (_, bench) => measureCodec(bench),
    format: text.formatCodec,
  },
];

/**
 * @param {Study} study
 * @param {import("./scenarios.js").Scenario} unary
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<any>} undefined if it is left out
 */
export async function runStudy({ name, needsGo = false, build, measure }, unary, bench) {
  if (needsGo && !isAvailable("grpc-go")) {
    bench.progress(`${name}: left out: go is not on the PATH`);
    return undefined;
  }
  build?.();
  return await measure(unary, bench);
}
