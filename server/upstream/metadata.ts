// Which headers and trailers of a call pass from one side to the other, and what an upstream learns of the caller.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { addField } from "../../client/http2/request-fields.js";
import { requestHeadOf } from "../call/context-values.js";
import { LazyHeaders } from "../call/headers.js";
import type { RequestHead } from "../http/exchange.js";
import { connectionNames, header, hopByHop, NodeHeaders } from "../http/header.js";
import { keepForHeaders } from "../http/keep-for-headers.js";
import { keepResults } from "../http/keep-results.js";
import { type Change, similarityOf } from "../http/similar-headers.js";
import { checkOutgoing } from "../http2/field-rules.js";
import { createField, type Field, isSecretName } from "../http2/hpack/field.js";

/** Headers that belong to the protocol of one side, by exact name. */
const ofProtocol: ReadonlySet<string> = new Set([
  ...hopByHop,
  ...["content-encoding", "content-length", "content-type", "date", "expect", "host"],
  ...["grpc-accept-encoding", "grpc-encoding", "grpc-message", "grpc-status", "grpc-status-details-bin"],
  ...["grpc-timeout", "user-agent", "x-grpc-web", "x-user-agent"],
]);
const ofConnect = /^(?:connect-|trailer-)/;

/** Headers that describe the body of a request, or that of the response that its caller wants. The upstream has others. */
const ofBody = /^(?:content-.*|accept|accept-charset|accept-encoding|accept-post|accept-ranges)$/;

/** Headers that say who the caller is. A caller can write anything in them. */
const ofCaller = /^(?:forwarded|x-real-ip|x-forwarded-.*)$/;

/** Whose a header is, by its name. */
const ownerOf = keepResults((name: string): "application" | "body" | "caller" | "protocol" => {
  if (ofProtocol.has(name) || ofConnect.test(name)) return "protocol";
  if (ofBody.test(name)) return "body";
  return ofCaller.test(name) ? "caller" : "application";
});

/** Whether a header or trailer of a response is the application's. */
export function isPassedBack(name: string): boolean {
  return ownerOf(name) !== "protocol";
}

/**
 * Whether a header of a request goes on.
 *
 * @param isTrusted whether the caller is a proxy whose headers about its own caller are true
 */
export function isPassedOn(name: string, isTrusted: boolean): boolean {
  const owner = ownerOf(name);
  return owner === "application" || (isTrusted && owner === "caller");
}

/** What is known of a caller: its address, that of a trusted proxy before it, and how it has named this server. */
export type Caller = Pick<RequestHead, "authority" | "scheme" | "peer" | "proxy">;

/** Whether a trusted proxy has sent the request, whose headers about its own caller are true. */
function isProxied(caller: Caller | undefined): boolean {
  return caller?.proxy !== undefined;
}

/**
 * Returns the headers that tell an upstream of the caller, name → value: `x-forwarded-for`, `-host`, `-proto` and
 * `-user-agent`. Those of a trusted proxy are kept, and the lists `x-forwarded-for` and `forwarded` get one more entry.
 *
 * @param get returns a header of the request
 * @param caller undefined if an interceptor has replaced the context values of the call
 */
export function callerHeaders(
  get: (name: string) => string | null | undefined,
  caller: Caller | undefined,
): [name: string, value: string][] {
  const given = (name: string) => (isProxied(caller) ? (get(name) ?? undefined) : undefined);
  const address = (caller?.proxy ?? caller?.peer) || undefined;
  const forwarded = given("forwarded");
  const headers: [name: string, value: string | undefined][] = [
    ["x-forwarded-for", append(given("x-forwarded-for"), address)],
    ["x-forwarded-host", given("x-forwarded-host") ?? caller?.authority],
    ["x-forwarded-proto", given("x-forwarded-proto") ?? caller?.scheme],
    ["x-forwarded-user-agent", given("x-forwarded-user-agent") ?? get("user-agent") ?? undefined],
    ["forwarded", forwarded && append(forwarded, forwardedElement(address))],
  ];
  return headers.filter((header): header is [string, string] => header[1] !== undefined);
}

function append(list: string | undefined, item: string | undefined): string | undefined {
  return list === undefined || item === undefined ? (list ?? item) : `${list}, ${item}`;
}

/** One element of `Forwarded` (RFC 7239 section 4). */
function forwardedElement(address: string | undefined): string {
  return `for=${address === undefined ? "unknown" : address.includes(":") ? `"[${address}]"` : address}`;
}

/**
 * The fields of a request that go on, with what interceptors have set.
 *
 * @throws ConnectError `internal` if HTTP/2 does not allow one
 */
export function passRequestFields({ requestHeader, values }: HandlerContext): readonly Field[] {
  const plain = requestHeader instanceof LazyHeaders ? (requestHeader.unchanged ?? requestHeader.toNode()) : undefined;
  return toRequestFields(plain ?? Object.fromEntries(requestHeader), requestHeadOf(values));
}

/**
 * The fields of a request that go on, but for those that `Connection` names.
 *
 * @param caller undefined if an interceptor has replaced the context values of the call
 * @throws ConnectError `internal` if HTTP/2 does not allow one
 */
export function toRequestFields(
  headers: IncomingHttpHeaders | OutgoingHttpHeaders,
  caller: Caller | undefined,
): readonly Field[] {
  const similarity = similarityOf(headers);
  const changed = similarity && changeFields(toRequestFields(similarity.base, caller), similarity.changes);
  if (changed !== undefined) return changed;
  const last = lastFields(headers);
  if (last.fields === undefined || !isSameCaller(last.caller, caller)) {
    last.fields = makeRequestFields(headers, caller);
    last.caller = caller && copyCaller(caller);
  }
  return last.fields;
}

/** The fields with other values; undefined if more depends on one. @throws ConnectError `internal` if HTTP/2 does not allow one */
function changeFields(fields: readonly Field[], changes: readonly Change[]): readonly Field[] | undefined {
  const changed = [...fields];
  for (const { name, value } of changes) {
    // Others are made of these.
    if (name === "user-agent" || ownerOf(name) === "caller") return undefined;
    const isOwn = (field: Field) => field.name === name;
    const place = fields.findIndex(isOwn);
    if (place < 0) continue;
    const made: Field[] = [];
    addField(made, name, value);
    // A list of binary values has several.
    if (made.length > 1 || fields.findLastIndex(isOwn) > place) return undefined;
    checkFields(made);
    changed[place] = made[0] as Field;
  }
  return changed;
}

/** @throws ConnectError `internal` if HTTP/2 does not allow one */
function checkFields(fields: readonly Field[]): void {
  const fault = checkOutgoing(fields);
  if (fault !== undefined) throw new ConnectError(`headers: ${fault}`, Code.Internal);
}

/** What was made of headers the last time. A connection has one caller, or those that a trusted proxy names in turn. */
const lastFields = keepForHeaders((_: IncomingHttpHeaders | OutgoingHttpHeaders): LastFields => ({}));

interface LastFields {
  fields?: readonly Field[];
  caller?: Caller | undefined;
}

/** A caller is most often the whole request, which must not be kept. */
function copyCaller({ peer, proxy, authority, scheme }: Caller): Caller {
  return { peer, proxy, authority, scheme };
}

function isSameCaller(a: Caller | undefined, b: Caller | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.peer === b.peer && a.proxy === b.proxy && a.authority === b.authority && a.scheme === b.scheme;
}

function makeRequestFields(headers: IncomingHttpHeaders | OutgoingHttpHeaders, caller: Caller | undefined): Field[] {
  const isTrusted = isProxied(caller);
  const ofConnection = connectionNames(header(headers, "connection"));
  const ofCall = callerHeaders((name) => header(headers, name), caller);
  const fields: Field[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || !isPassedOn(name, isTrusted) || ofConnection.has(name)) continue;
    if (isTrusted && ofCall.some(([own]) => own === name)) continue;
    if (Array.isArray(value)) for (const one of value) addField(fields, name, one);
    else addField(fields, name, String(value));
  }
  for (const [name, value] of ofCall) addField(fields, name, value);
  checkFields(fields);
  return Object.isFrozen(headers) ? fields.map(sharedField) : fields;
}

/** Connections know fields again that they have sent, also for another caller. Secrets are in no table of theirs. */
function sharedField(field: Field): Field {
  const { name, value } = field;
  return isSecretName(name) ? field : fieldOfLine(`${name}:${value}`);
}

const fieldOfLine = keepResults((line: string): Field => {
  const colon = line.indexOf(":");
  return createField(line.slice(0, colon), line.slice(colon + 1));
});

/** The headers or trailers of a response that go on, or undefined if there are none. */
export function passFields(fields: readonly Field[]): OutgoingHttpHeaders | undefined {
  let passed: OutgoingHttpHeaders | undefined;
  for (const { name, value } of fields) {
    if (!isPassedBack(name)) continue;
    passed ??= new NodeHeaders();
    const before = passed[name];
    // Cookies cannot be joined by commas, and some clients read no lists of binary values.
    if (name === "set-cookie") passed[name] = Array.isArray(before) ? [...before, value] : [value];
    else if (before === undefined) passed[name] = value;
    else if (name.endsWith("-bin")) passed[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
    else passed[name] = `${before}, ${value}`;
  }
  return passed;
}

/** Appends each value to headers. */
export function appendAll(from: Readonly<OutgoingHttpHeaders>, to: Headers): void {
  for (const name in from) for (const value of [from[name]].flat()) to.append(name, String(value));
}

/** Copies headers or trailers of a response to those of the caller's, which does not know of our own attempts. */
export function passMetadata(from: Headers, to: Headers): void {
  from.forEach((value, name) => {
    if (isPassedBack(name) && name !== "grpc-previous-rpc-attempts") to.append(name, value);
  });
}

/** The same error with the metadata that goes on: of its own, or the given. */
export function passError(reason: unknown, metadata?: Headers): ConnectError {
  const error = ConnectError.from(reason);
  const passed = new ConnectError(error.rawMessage, error.code, undefined, undefined, error.cause);
  passed.details = error.details;
  passMetadata(metadata ?? error.metadata, passed.metadata);
  return passed;
}
