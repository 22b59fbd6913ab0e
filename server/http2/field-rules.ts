// What field lines of requests, responses and trailers have to be: RFC 9113 §8.1 to §8.3.
import { createField, type Field } from "./hpack/field.js";

/** The head of another request that has the same fields but for the values of a few. */
interface SimilarRequest {
  readonly head: RequestFields;
  /** Those that have other values than in that head. Pseudo-header fields are not among them. */
  readonly changes: readonly Field[];
}

/** The field lines of a request, which are well-formed. The same object may come again for the next request. */
export class RequestFields {
  /** All field lines, as they came. */
  readonly rawFields: readonly Field[];
  /** Those after the pseudo-header fields. Several lines of `cookie` are joined to one (§8.2.3). */
  readonly fields: readonly Field[];
  readonly method: string;
  /** Empty for CONNECT, as `path` is. */
  readonly scheme: string;
  /** As `:authority` or `host` has it; empty if there is neither. */
  readonly authority: string;
  readonly path: string;
  /** `content-length`, or -1. */
  readonly contentLength: number;
  /** For whatever the owner derives from a head, if the same one comes again, or similar ones. */
  memo: unknown = undefined;
  readonly similar: SimilarRequest | undefined;

  constructor(
    raw: readonly Field[],
    fields: readonly Field[],
    pseudo: PseudoFields,
    contentLength: number,
    similar?: SimilarRequest,
  ) {
    this.rawFields = raw;
    this.fields = fields;
    this.method = pseudo.method ?? "";
    this.scheme = pseudo.scheme ?? "";
    this.authority = pseudo.authority ?? fields.find(({ name }) => name === "host")?.value ?? "";
    this.path = pseudo.path ?? "";
    this.contentLength = contentLength;
    this.similar = similar;
  }
}

/** The field lines of a response, which are well-formed. The same object may come again for the next response. */
export class ResponseFields {
  readonly rawFields: readonly Field[];
  /** Those after `:status`. */
  readonly fields: readonly Field[];
  readonly status: number;
  /** `content-length`, or -1. */
  readonly contentLength: number;
  /** For whatever the owner derives from a head, if the same one comes again. */
  memo: unknown = undefined;

  constructor(raw: readonly Field[], fields: readonly Field[], status: number, contentLength: number) {
    this.rawFields = raw;
    this.fields = fields;
    this.status = status;
    this.contentLength = contentLength;
  }
}

interface PseudoFields {
  method?: string;
  scheme?: string;
  authority?: string;
  path?: string;
  status?: string;
}

/** What is wrong with field lines: the message of a stream error. */
class Malformed extends Error {}

/** Returns the head of a request, or what is wrong with it. */
export function readRequestHead(raw: readonly Field[]): RequestFields | string {
  return orFault(() => {
    const count = countPseudo(raw);
    const pseudo = readPseudo(raw, count, requestPseudo);
    checkRequest(pseudo);
    const fields = joinCookies(raw.slice(count));
    const contentLength = readFields(fields);
    checkHost(pseudo, fields);
    return new RequestFields(raw, fields, pseudo, contentLength);
  });
}

/** Lists of fields that differ in more are read whole. */
const maxChanges = 4;

/**
 * Returns the head of a request that differs from another one in its path and the values of a few fields; undefined if it
 * differs in more, or may be malformed.
 */
export function readSimilarRequest(raw: readonly Field[], head: RequestFields): RequestFields | undefined {
  const { rawFields } = head;
  const pseudoCount = rawFields.length - head.fields.length;
  if (raw.length !== rawFields.length || pseudoCount !== countPseudo(rawFields)) return undefined;
  const fields = [...head.fields];
  const changes: Field[] = [];
  let { path } = head;
  for (let index = 0; index < raw.length; index++) {
    const [field, known] = [raw[index] as Field, rawFields[index] as Field];
    if (field === known) continue;
    const { name, value } = field;
    if (name !== known.name) return undefined;
    if (index >= pseudoCount) fields[index - pseudoCount] = field;
    if (value === known.value) continue;
    if (name === "host") return undefined;
    if (index >= pseudoCount) changes.push(field);
    else if (name === ":path" && value.startsWith("/") && isFieldValue(value)) path = value;
    else return undefined;
  }
  const changedLength = changes.length > maxChanges ? undefined : orFault(() => readFields(changes));
  if (typeof changedLength !== "number") return undefined;
  const contentLength = changedLength === -1 ? head.contentLength : changedLength;
  const { method, scheme, authority } = head;
  return new RequestFields(raw, fields, { method, scheme, authority, path }, contentLength, { head, changes });
}

/** Returns the head of a response, or what is wrong with it. */
export function readResponseHead(raw: readonly Field[]): ResponseFields | string {
  return orFault(() => {
    const count = countPseudo(raw);
    const { status = "" } = readPseudo(raw, count, responsePseudo);
    // There is no switching of protocols in HTTP/2 (§8.6).
    if (!/^[1-9][0-9][0-9]$/.test(status) || status === "101") throw new Malformed(":status: missing or invalid");
    const fields = raw.slice(count);
    return new ResponseFields(raw, fields, Number(status), readFields(fields));
  });
}

/** Returns undefined if the field lines may be trailers, else what is wrong with them. */
export function checkTrailers(raw: readonly Field[]): string | undefined {
  const fault = orFault(() => {
    if (countPseudo(raw) > 0) throw new Malformed("trailers: a pseudo-header field");
    return readFields(raw);
  });
  return typeof fault === "string" ? fault : undefined;
}

/**
 * Returns what is wrong with field lines that are to be sent, or undefined. Pseudo-header fields are not looked at. A
 * connection sends whatever it is given, so that what is sent often is checked once.
 */
export function checkOutgoing(fields: readonly Field[]): string | undefined {
  const fault = orFault(() => readFields(fields.filter(({ name }) => !isPseudo(name))));
  return typeof fault === "string" ? fault : undefined;
}

function orFault<Result>(read: () => Result): Result | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

const requestPseudo: ReadonlySet<string> = new Set([":method", ":scheme", ":authority", ":path"]);
const responsePseudo: ReadonlySet<string> = new Set([":status"]);
/** Those of HTTP/1.1 that say something of one connection (§8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function isPseudo(name: string): boolean {
  return name.charCodeAt(0) === 0x3a;
}

/** Returns how many pseudo-header fields there are in front. */
function countPseudo(raw: readonly Field[]): number {
  let count = 0;
  while (count < raw.length && isPseudo((raw[count] as Field).name)) count++;
  return count;
}

function readPseudo(raw: readonly Field[], count: number, allowed: ReadonlySet<string>): PseudoFields {
  const found: Record<string, string> = {};
  for (let index = 0; index < count; index++) {
    const { name, value } = raw[index] as Field;
    const key = name.slice(1);
    if (!allowed.has(name)) throw new Malformed("unknown pseudo-header field");
    if (found[key] !== undefined) throw new Malformed(`${name}: more than one`);
    if (!isFieldValue(value)) throw new Malformed(`${name}: invalid character`);
    found[key] = value;
  }
  return found;
}

function checkRequest({ method, scheme, authority, path }: PseudoFields): void {
  if (method === undefined || !token.test(method)) throw new Malformed(":method: missing or invalid");
  if (method === "CONNECT") {
    if (scheme !== undefined || path !== undefined) throw new Malformed("CONNECT: unexpected :scheme or :path");
    if (authority === undefined) throw new Malformed("CONNECT: missing :authority");
    return;
  }
  if (scheme === undefined || scheme === "") throw new Malformed(":scheme: missing");
  if (path === undefined || path === "") throw new Malformed(":path: missing");
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) throw new Malformed(":path: invalid");
}

/** Both say the same (§8.3.1). */
function checkHost({ authority }: PseudoFields, fields: readonly Field[]): void {
  const hosts = fields.filter(({ name }) => name === "host");
  if (hosts.length === 0) return;
  const [{ value }] = hosts as [Field];
  if (hosts.length > 1 || (authority !== undefined && value.toLowerCase() !== authority.toLowerCase())) {
    throw new Malformed("host: differs from :authority");
  }
}

/** Checks fields that are no pseudo-header fields. Returns `content-length`, or -1. */
function readFields(fields: readonly Field[]): number {
  let contentLength = -1;
  for (const { name, value } of fields) {
    // Also finds pseudo-header fields that come too late.
    if (!fieldName.test(name)) throw new Malformed("field name: invalid character");
    if (!isFieldValue(value)) throw new Malformed(`${name}: invalid character`);
    if (connectionFields.has(name)) throw new Malformed(`${name}: not allowed in HTTP/2`);
    if (name === "te" && value.toLowerCase() !== "trailers") throw new Malformed("te: expected trailers");
    if (name !== "content-length") continue;
    if (contentLength !== -1) throw new Malformed("content-length: more than one");
    if (!/^[0-9]{1,15}$/.test(value)) throw new Malformed("content-length: invalid");
    contentLength = Number(value);
  }
  return contentLength;
}

/** No control characters but tabs, no white space around (§8.2.1, RFC 9110 §5.5). */
function isFieldValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(length - 1));
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function joinCookies(fields: readonly Field[]): readonly Field[] {
  const cookies = fields.filter(({ name }) => name === "cookie");
  if (cookies.length < 2) return fields;
  const joined = createField("cookie", cookies.map(({ value }) => value).join("; "), true);
  const first = fields.indexOf(cookies[0] as Field);
  return fields.flatMap((field, index) => {
    if (field.name !== "cookie") return field;
    return index === first ? joined : [];
  });
}
