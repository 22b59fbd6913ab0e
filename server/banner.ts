// Tells a newcomer where the server is and how to call it: one line for each kind of caller, ready to be copied.
import type { X509Certificate } from "node:crypto";

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
  readonly hasReflection: boolean;
  readonly tls?: ServedTls | undefined;
}

export interface ServedTls {
  readonly certificate: X509Certificate;
  /** The file that the certificate was read from. */
  readonly path: string;
  /** Whether callers have to show a certificate of their own. */
  readonly isMutual: boolean;
}

export function formatBanner(version: string, served: Served): string {
  const examples = listExamples(served);
  const width = Math.max(...examples.map(({ caller }) => caller.length));
  const lines = examples.map(({ caller, line }) => `  ${caller.padEnd(width)}  ${line}\n`);
  return `manywire ${version} serves hello_world.Greeter on ${served.url}\n\n${lines.join("")}\n`;
}

const path = "hello_world.Greeter/SayHello";
const json = `'{"name":"you"}'`;
const query = "connect=v1&encoding=json&message=%7B%22name%22%3A%22you%22%7D";

/** Calls of SayHello. Without reflection those are left out that depend on it. */
export function listExamples(served: Served): Example[] {
  const { url, tls, hasReflection } = served;
  const socket = url.startsWith("unix:") ? quote(url.slice("unix:".length)) : undefined;
  const base = socket === undefined ? callableUrl(url, tls) : `${tls === undefined ? "http" : "https"}://localhost`;
  const target = socket === undefined ? withPort(new URL(base)) : `-unix ${socket}`;
  const client = socket === undefined ? base : quote(url);
  const unix = socket === undefined ? "" : `--unix-socket ${socket} `;
  const dashed = `${tlsFlags(tls, "--")}${unix}`;
  const plain = tls === undefined ? "-plaintext " : tlsFlags(tls, "-");
  const prior = tls === undefined ? "--http2-prior-knowledge " : "";
  const examples = [
    { caller: "gRPC", needsReflection: true, line: `grpcurl ${plain}-d ${json} ${target} ${path}` },
    {
      caller: "gRPC-Web",
      needsReflection: true,
      line: `buf curl --protocol grpcweb ${prior}${dashed}-d ${json} ${base}/${path}`,
    },
    { caller: "Connect", line: `curl ${dashed}-H 'content-type: application/json' -d ${json} ${base}/${path}` },
    { caller: "Connect GET", line: `curl ${dashed}'${base}/${path}?${query}'` },
    { caller: "TypeScript", line: `npx manywire-client ${tlsFlags(tls, "--tls-")}--url ${client}` },
  ];
  return examples.filter(({ needsReflection }) => hasReflection || needsReflection !== true);
}

/** The URL by which this machine reaches the server: addresses such as `::` are only for listening. */
function callableUrl(url: string, tls: ServedTls | undefined): string {
  const called = new URL(url);
  const host = called.hostname.replace(/^\[|\]$/g, "");
  const isAny = host === "::" || host === "0.0.0.0";
  const isLocal = isAny || host === "::1" || host.startsWith("127.");
  const isNamed = tls?.certificate.checkIP(host) ?? tls?.certificate.checkHost(host);
  if (isAny || (isLocal && tls !== undefined && isNamed === undefined)) called.hostname = "localhost";
  return called.origin;
}

/** gRPC's own notation has no default port. */
function withPort({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}

/** A certificate that signed itself is its own authority; any other is taken for one that callers trust already. */
function tlsFlags(tls: ServedTls | undefined, dash: "-" | "--" | "--tls-"): string {
  if (tls === undefined) return "";
  const isOwnAuthority = tls.certificate.checkIssued(tls.certificate);
  const trust = isOwnAuthority ? `${dash}${dash === "--tls-" ? "ca" : "cacert"} ${quote(tls.path)} ` : "";
  return tls.isMutual ? `${trust}${dash}cert client.pem ${dash}key client-key.pem ` : trust;
}

/** For a shell, if it needs it. */
function quote(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
