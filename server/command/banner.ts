// Tells a newcomer where the server is and how to call it: one line for each kind of caller, ready to be copied.
import type { X509Certificate } from "node:crypto";
import { quote } from "../pages/browser/shell.js";

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
  /** How the TypeScript client is started: `npm run client --`. */
  readonly client: string;
  readonly hasReflection: boolean;
  readonly tls?: ServedTls | undefined;
}

export interface ServedTls {
  readonly certificate: X509Certificate;
  /** The file with the authority to trust; undefined if callers are taken to trust it already. */
  readonly authority: string | undefined;
  /** Whether callers have to show a certificate of their own. */
  readonly isMutual: boolean;
}

/** The banner: a line that says where, a line per caller, and an empty line after each part. */
export function formatBanner(version: string, served: Served): string {
  const examples = listExamples(served);
  const width = Math.max(...examples.map(({ caller }) => caller.length));
  const lines = examples.map(({ caller, line }) => `  ${caller.padEnd(width)}  ${line}\n`);
  return `manywire ${version} serves hello_world.Greeter on ${served.url}\n\n${lines.join("")}\n`;
}

const path = "hello_world.Greeter/SayHello";
const json = `'{"name":"you"}'`;
const query = "connect=v1&encoding=json&message=%7B%22name%22%3A%22you%22%7D";

/** Calls of SayHello. Those that need reflection are left out where there is none. */
export function listExamples({ url, client, hasReflection, tls }: Served): Example[] {
  const { base, target, socketFlag } = locate(url, tls);
  const plaintext = tls === undefined;
  const flags = tlsFlags(tls, "--") + socketFlag;
  const grpcurl = `grpcurl ${plaintext ? "-plaintext " : tlsFlags(tls, "-")}-d ${json} ${quote(target)} ${path}`;
  const bufCurl = `buf curl --protocol grpcweb ${plaintext ? "--http2-prior-knowledge " : ""}${flags}-d ${json} ${quote(`${base}/${path}`)}`;
  const calls = [
    {
      caller: "Connect",
      line: `curl ${flags}-H 'content-type: application/json' -d ${json} ${quote(`${base}/${path}`)}`,
    },
    { caller: "Connect GET", line: `curl ${flags}${quote(`${base}/${path}?${query}`)}` },
    {
      caller: "TypeScript",
      line: `${client} ${tlsFlags(tls, "--tls-")}--url ${quote(socketFlag === "" ? base : target)}`,
    },
  ];
  if (!hasReflection) return calls;
  return [{ caller: "gRPC", line: grpcurl }, { caller: "gRPC-Web", line: bufCurl }, ...calls];
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
