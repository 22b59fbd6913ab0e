// Shows where the server listens and how to call it: one line for each kind of client, ready to be copied.
import type { X509Certificate } from "node:crypto";
import type { UpstreamState } from "../live-surface.js";
import { type JsonValue, type MethodInfo, type Route, sampleFor } from "../pages/browser/method.js";
import { toRestRequest } from "../pages/browser/rest-request.js";
import { quote } from "../pages/browser/shell.js";
import { shorten } from "../quote.js";

/** A command line that calls the server. */
export interface Example {
  /** Who calls: "gRPC", "Connect", … */
  readonly caller: string;
  readonly line: string;
}

/** What the lines depend on. */
export interface Served {
  /** As `Server.url` has it. */
  readonly url: string;
  /** Full names of the user's services. */
  readonly services: readonly string[];
  /** The method to call; undefined if there is none. */
  readonly method: MethodInfo | undefined;
  /** Whether the method may be called by GET. */
  readonly hasGet: boolean;
  /** How the TypeScript client is started, `npm run client --`; undefined if it does not know the service. */
  readonly client: string | undefined;
  readonly hasPage: boolean;
  readonly tls?: ServedTls | undefined;
  readonly upstreams?: readonly UpstreamState[] | undefined;
}

export interface ServedTls {
  readonly certificate: X509Certificate;
  /** The file with the authority to trust; undefined if clients are expected to trust it already. */
  readonly authority: string | undefined;
  /** Whether clients have to show a certificate of their own. */
  readonly isMutual: boolean;
}

/** The banner: the address, a line for each client, and an empty line after each part. */
export function formatBanner(version: string, served: Served): string {
  const examples = listExamples(served);
  const width = Math.max(0, ...examples.map(({ caller }) => caller.length));
  const lines = examples.map(({ caller, line }) => `  ${caller.padEnd(width)}  ${line}\n`);
  const title = `manywire ${version} serves ${nameServices(served.services)} on ${served.url}\n\n`;
  const parts = [lines.join(""), listUpstreams(served.upstreams ?? [])].filter((part) => part !== "");
  const text = [title, ...parts.map((part) => `${part}\n`), ...reachOf(served.url)].join("");
  // Names may come from an upstream, and a terminal obeys control characters.
  return text.replaceAll(/[^\P{Cc}\n]/gu, "?");
}

/** A line for each upstream, with what comes from it, and below it what is wrong with its schema. */
function listUpstreams(upstreams: readonly UpstreamState[]): string {
  const width = Math.max(0, ...upstreams.map(({ url }) => url.length));
  const lines = upstreams.flatMap(({ url, services, routes, repairs, unserved, problem }) => [
    `  ${url.padEnd(width)}  ${problem ?? `${nameServices(services)}, ${count(routes, "REST route")}`}\n`,
    ...listNotes("not served", unserved),
    ...listNotes("repaired", repairs),
  ]);
  return lines.length === 0 ? "" : `  From upstreams:\n${lines.join("")}`;
}

const shownNotes = 3;

/** The log has all of them. */
function listNotes(title: string, notes: readonly string[]): string[] {
  const others = notes.length - shownNotes;
  const shown = notes.slice(0, shownNotes).map((note) => `    ${title}: ${shorten(note.replaceAll(/\s+/g, " "))}\n`);
  return others > 0 ? [...shown, `    ${title}: ${others} more, in the log\n`] : shown;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A server that only listens on the loopback interface looks broken from outside of a container. */
function reachOf(url: string): string[] {
  const isLocal = /^https?:\/\/(127\.|\[::1\]|localhost)/.test(url);
  return isLocal ? ["  Only this machine can connect. In a container, or for other machines: --host ::\n\n"] : [];
}

const shownServices = 3;

function nameServices(services: readonly string[]): string {
  if (services.length === 0) return "no service";
  const others = services.length - shownServices;
  return services.slice(0, shownServices).join(", ") + (others > 0 ? ` and ${others} more` : "");
}

/** Calls of one method, and the page with all of them. */
export function listExamples(served: Served): Example[] {
  const { base, socketFlag } = locate(served.url, served.tls);
  // A browser opens no Unix socket.
  const page = served.hasPage && socketFlag === "" ? [{ caller: "page", line: `${base}/` }] : [];
  return [...(served.method === undefined ? [] : listCalls(served, served.method)), ...page];
}

/** Without reflection, tools for gRPC would need the proto files: such calls are left out. */
function listCalls({ url, hasGet, client, tls }: Served, method: MethodInfo): Example[] {
  const { base, target, socketFlag } = locate(url, tls);
  const flags = tlsFlags(tls, "--") + socketFlag;
  const path = `${method.service}/${method.name}`;
  const address = quote(`${base}/${path}`);
  const json = JSON.stringify(method.sample);
  const data = `-d ${quote(json)}`;
  const http2 = tls === undefined ? "--http2-prior-knowledge " : "";
  const grpcFlags = tls === undefined ? "-plaintext " : tlsFlags(tls, "-");
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: json });
  const isUnary = method.kind === "unary";
  const hasReflection = method.protoFile === undefined;
  const can = (protocol: string) => method.protocols.includes(protocol);
  const [route] = method.routes;
  const calls: [caller: string, isPossible: boolean, line: string][] = [
    ["gRPC", can("grpc") && hasReflection, `grpcurl ${grpcFlags}${data} ${quote(target)} ${path}`],
    ["gRPC-Web", can("grpc-web") && hasReflection, `buf curl --protocol grpcweb ${http2}${flags}${data} ${address}`],
    ["Connect", can("connect") && isUnary, `curl ${flags}-H 'content-type: application/json' ${data} ${address}`],
    ["Connect GET", can("connect") && isUnary && hasGet, `curl ${flags}${quote(`${base}/${path}?${query}`)}`],
    [
      "REST",
      route !== undefined && isUnary,
      route === undefined ? "" : restCurl(base, flags, route, sampleFor(method, route)),
    ],
    [
      "TypeScript",
      client !== undefined,
      `${client} ${tlsFlags(tls, "--tls-")}--url ${quote(socketFlag === "" ? base : target)}`,
    ],
  ];
  return calls.filter(([, isPossible]) => isPossible).map(([caller, , line]) => ({ caller, line }));
}

function restCurl(base: string, flags: string, route: Route, sample: JsonValue): string {
  const { httpMethod, target, body, contentType } = toRestRequest(route, [sample]);
  const method = httpMethod === (body === undefined ? "GET" : "POST") ? "" : `-X ${quote(httpMethod)} `;
  const type = contentType === undefined ? "" : `-H ${quote(`content-type: ${contentType}`)} `;
  const data = body === undefined ? "" : typeof body === "string" ? `-d ${quote(body)} ` : "--data-binary @file ";
  return `curl ${flags}${method}${type}${data}${quote(`${base}${target}`)}`;
}

/** Where to call, as URL, as gRPC target, and as flag of curl. */
function locate(url: string, tls: ServedTls | undefined): { base: string; target: string; socketFlag: string } {
  const scheme = tls === undefined ? "http" : "https";
  if (url.startsWith("unix:")) {
    const socketFlag = `--unix-socket ${quote(url.slice("unix:".length))} `;
    return { base: `${scheme}://localhost`, target: url, socketFlag };
  }
  const { hostname, port } = new URL(url);
  const host = callableHost(hostname, tls);
  const defaultPort = tls === undefined ? "80" : "443";
  const base = `${scheme}://${host}${port === "" ? "" : `:${port}`}`;
  return { base, target: `${host}:${port === "" ? defaultPort : port}`, socketFlag: "" };
}

/** The host by which this machine reaches the server: `::` is only for listening, and a certificate has its own names. */
function callableHost(hostname: string, tls: ServedTls | undefined): string {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host === "::" || host === "0.0.0.0") return "localhost";
  const isLocal = host === "::1" || host.startsWith("127.");
  const isNamed = tls?.certificate.checkIP(host) !== undefined || tls?.certificate.checkHost(host) !== undefined;
  return isLocal && tls !== undefined && !isNamed ? "localhost" : hostname;
}

function tlsFlags(tls: ServedTls | undefined, dash: "-" | "--" | "--tls-"): string {
  if (tls === undefined) return "";
  const trust =
    tls.authority === undefined ? "" : `${dash}${dash === "--tls-" ? "ca" : "cacert"} ${quote(tls.authority)} `;
  return tls.isMutual ? `${trust}${dash}cert client.pem ${dash}key client-key.pem ` : trust;
}
