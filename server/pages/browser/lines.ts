// Turns a request into the lines to copy that make it: for a shell, and for a TypeScript program.
import { hasManyReplies, hasManyRequests, type JsonValue, type MethodInfo, type Route, sampleFor } from "./method.js";
import { toRestRequest } from "./rest-request.js";
import { quote } from "./shell.js";

/** Something to copy. */
export interface Line {
  /** Protocol and program: `REST`, `curl`. */
  readonly caller: string;
  readonly tool: string;
  readonly text: string;
}

/** What a call consists of. */
export interface Call {
  readonly method: MethodInfo;
  /** The route for REST; undefined if there is none. */
  readonly route: Route | undefined;
  /** The address of the server, `http://127.0.0.1:50051`. */
  readonly base: string;
  /** One for all but a stream of requests. */
  readonly messages: readonly JsonValue[];
  /** Headers besides those of the protocols. */
  readonly headers: Readonly<Record<string, string>>;
  /** The deadline; undefined for none. */
  readonly timeoutMs?: number | undefined;
}

/** The lines for the protocols of the method. */
export function listLines(call: Call): Line[] {
  const { method, route } = call;
  const has = (protocol: string) => method.protocols.includes(protocol);
  return [
    ...(has("grpc") ? [{ caller: "gRPC", tool: "grpcurl", text: grpcurl(call) }] : []),
    ...(route === undefined ? [] : [{ caller: "REST", tool: "curl", text: restCurl(call, route) }]),
    ...(has("connect") ? [connectLine(call)] : []),
    ...(has("grpc-web") ? [{ caller: "gRPC-Web", tool: "buf", text: bufCurl(call, "grpcweb") }] : []),
    { caller: "TypeScript", tool: "", text: typescript(call) },
  ];
}

function grpcurl(call: Call): string {
  const { method, base, messages } = call;
  const { protocol, host, port, hostname } = new URL(base);
  const isPlain = protocol === "http:";
  const target = port === "" ? `${hostname}:${isPlain ? 80 : 443}` : host;
  const proto = method.protoFile === undefined ? "" : `-proto ${quote(method.protoFile)} `;
  const time = call.timeoutMs === undefined ? "" : `-max-time ${call.timeoutMs / 1000} `;
  return `grpcurl ${isPlain ? "-plaintext " : ""}${time}${proto}${headerFlags(call)}-d ${jsonOf(messages)} ${quote(target)} ${pathOf(method)}`;
}

function bufCurl(call: Call, protocol: string): string {
  const { method, base, messages } = call;
  const schema = method.protoFile === undefined ? "" : `--schema ${quote(method.protoFile)} `;
  const http2 = base.startsWith("http:") ? "--http2-prior-knowledge " : "";
  const time = call.timeoutMs === undefined ? "" : `--timeout ${call.timeoutMs}ms `;
  return `buf curl --protocol ${protocol} ${http2}${time}${schema}${headerFlags(call)}-d ${jsonOf(messages)} ${quote(`${base}/${pathOf(method)}`)}`;
}

/** Streams over Connect have binary envelopes, which curl does not write. */
function connectLine(call: Call): Line {
  const { method, base, messages } = call;
  if (method.kind !== "unary") return { caller: "Connect", tool: "buf", text: bufCurl(call, "connect") };
  const time = call.timeoutMs === undefined ? "" : `-H 'connect-timeout-ms: ${call.timeoutMs}' `;
  const text = `curl ${headerFlags(call)}${time}-H 'content-type: application/json' -d ${jsonOf(messages)} ${quote(`${base}/${pathOf(method)}`)}`;
  return { caller: "Connect", tool: "curl", text };
}

function restCurl(call: Call, route: Route): string {
  const { method, base, messages, timeoutMs } = call;
  const { httpMethod, target, body, contentType } = restRequest(method, route, messages);
  const usual = body === undefined ? "GET" : "POST";
  const flags = hasManyReplies(method) ? ["-N"] : [];
  // Over TLS curl chooses HTTP/2 by itself.
  if (method.kind === "bidi_streaming" && base.startsWith("http:")) flags.push("--http2-prior-knowledge");
  if (httpMethod === "HEAD") flags.push("-I");
  else if (httpMethod !== usual) flags.push(`-X ${quote(httpMethod)}`);
  if (timeoutMs !== undefined) flags.push(`-H 'x-server-timeout: ${timeoutMs / 1000}'`);
  if (contentType !== undefined) flags.push(`-H ${quote(`content-type: ${contentType}`)}`);
  if (typeof body === "string") flags.push(`${body.includes("\n") ? "--data-binary" : "-d"} ${quote(body)}`);
  const line = (data: readonly string[]) =>
    `curl ${headerFlags(call)}${[...flags, ...data, quote(`${base}${target}`)].join(" ")}`;
  if (typeof body === "string" || body === undefined) return line([]);
  // A word of a shell cannot hold all bytes.
  return `echo ${quote(btoa(String.fromCharCode(...body)))} | base64 -d | ${line(["--data-binary @-"])}`;
}

/** The request, or that of the sample if the path has no values yet. */
function restRequest(method: MethodInfo, route: Route, messages: readonly JsonValue[]) {
  try {
    return toRestRequest(route, messages, hasManyRequests(method));
  } catch {
    return toRestRequest(route, [sampleFor(method, route)], hasManyRequests(method));
  }
}

function typescript({ method, base, messages, headers, timeoutMs }: Call): string {
  const { module, service, method: name, isPlain } = method.typescript;
  const fromJson = `fromJson(${service}.method.${name}.input, `;
  const init = (message: JsonValue) => (isPlain ? literalOf(message) : `${fromJson}${JSON.stringify(message)})`);
  const yields = messages.map((message) => `yield ${init(message)};`).join(" ");
  const request = hasManyRequests(method) ? `(async function* () { ${yields} })()` : init(messages[0] ?? {});
  const options = [
    ...(Object.keys(headers).length === 0 ? [] : [`headers: ${literalOf(headers)}`]),
    ...(timeoutMs === undefined ? [] : [`timeoutMs: ${timeoutMs}`]),
  ];
  const call = `client.${name}(${request}${options.length === 0 ? "" : `, { ${options.join(", ")} }`})`;
  return [
    ...(isPlain ? [] : [`import { fromJson } from "@bufbuild/protobuf";`]),
    `import { createClient, createTransport } from "manywire/client";`,
    `import { ${service} } from ${JSON.stringify(module)};`,
    "",
    `const transport = createTransport({ protocol: "grpc", baseUrl: ${JSON.stringify(base)} });`,
    `const client = createClient(${service}, transport);`,
    hasManyReplies(method) ? `for await (const reply of ${call}) console.log(reply);` : `console.log(await ${call});`,
  ].join("\n");
}

function pathOf({ service, name }: MethodInfo): string {
  return `${service}/${name}`;
}

/** The same for grpcurl, curl and buf. */
function headerFlags({ headers }: Call): string {
  return Object.entries(headers)
    .map(([name, value]) => `-H ${quote(`${name}: ${value}`)} `)
    .join("");
}

/** The messages as one word of a shell: grpcurl and buf take several after each other. */
function jsonOf(messages: readonly JsonValue[]): string {
  return quote(messages.map((message) => JSON.stringify(message)).join(" "));
}

/** A plain object, as Biome and Prettier write it. */
function literalOf(message: Readonly<JsonValue>): string {
  const text = JSON.stringify(message, undefined, 1).replace(/\n\s*/g, " ");
  return text.replace(/(?<=[{,] )"([A-Za-z_$][\w$]*)":/g, "$1:");
}
