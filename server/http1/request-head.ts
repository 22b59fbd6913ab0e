// The head of a request as RFC 9112 allows it, and how its body is framed. It allows less than the RFC lets a server take: what
// another server in front could read in another way is refused.
import { connectionNames, isToken } from "../http/header.js";
import { RequestError } from "./errors.js";
import { readFieldLine } from "./field-line.js";

/** A well-formed head. The same object may come again for the next request. */
export class RequestHead {
  readonly method: string;
  /** As it was sent, in any form. */
  readonly target: string;
  readonly isHttp10: boolean;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  /** Size of the body in bytes; `Infinity` if it comes in chunks. */
  readonly bodyBytes: number;
  /** Whether the client leaves the connection open for another request. */
  readonly keepsAlive: boolean;
  /** Value of `expect`, in lower case. HTTP/1.0 has none. */
  readonly expectation: string | undefined;
  /** For whatever the owner derives from a head, if the same one comes again. */
  memo: unknown = undefined;

  constructor(line: RequestLine, rawHeaders: readonly string[]) {
    const isHttp10 = line.version === "1.0";
    const special = collect(rawHeaders);
    this.method = line.method;
    this.target = line.target;
    this.isHttp10 = isHttp10;
    this.rawHeaders = rawHeaders;
    this.bodyBytes = bodyBytesOf(special, isHttp10);
    const options = connectionNames(special.connection.join(","));
    this.keepsAlive = isHttp10 ? options.has("keep-alive") : !options.has("close");
    this.expectation = isHttp10 ? undefined : special.expect[0]?.toLowerCase();
  }
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
}

/** Reads a head without the empty line at its end. @throws RequestError */
export function readRequestHead(text: string): RequestHead {
  const lines = text.split("\r\n");
  const requestLine = readRequestLine(lines[0] as string);
  const rawHeaders: string[] = [];
  for (let index = 1; index < lines.length; index++) {
    const [name, value] = readFieldLine(lines[index] as string);
    rawHeaders.push(name, value);
  }
  return new RequestHead(requestLine, rawHeaders);
}

const requestLinePattern = /^(\S+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d\.\d)$/;

/** Reads the first line of a head. @throws RequestError */
export function readRequestLine(line: string): RequestLine {
  const [, method = "", target = "", version] = requestLinePattern.exec(line) ?? [];
  // PRI is kept for the preface of HTTP/2.
  if (!isToken(method) || method === "PRI") {
    throw new RequestError(400, "request line: expected method, target and version");
  }
  if (version !== "1.0" && version !== "1.1") throw new RequestError(505, "version: expected HTTP/1.0 or HTTP/1.1");
  if (method === "CONNECT") throw new RequestError(405, "CONNECT is not served");
  return { method, target, version };
}

/** Longer than any method there is. */
const maxMethodLength = 32;

/** Checks what may be the beginning of a request line. @throws RequestError if none can begin so */
export function checkStart(text: string): void {
  const space = text.indexOf(" ");
  const method = space < 0 ? text : text.slice(0, space);
  if (!isToken(method) || method.length > maxMethodLength) {
    throw new RequestError(400, "request line: expected a method");
  }
}

/** The fields that say something of the connection, or of the body. */
type SpecialFields = Record<"content-length" | "transfer-encoding" | "connection" | "expect", string[]>;

function collect(rawHeaders: readonly string[]): SpecialFields {
  const special: SpecialFields = { "content-length": [], "transfer-encoding": [], connection: [], expect: [] };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (Object.hasOwn(special, name)) special[name as keyof SpecialFields].push(rawHeaders[index + 1] as string);
  }
  return special;
}

/** How long the body is (RFC 9112 section 6.3). @throws RequestError if that is not said in one way only */
function bodyBytesOf(special: SpecialFields, isHttp10: boolean): number {
  const { "content-length": lengths, "transfer-encoding": codings } = special;
  if (codings.length > 0) {
    if (lengths.length > 0) throw new RequestError(400, "transfer-encoding: content-length as well");
    if (isHttp10) throw new RequestError(400, "transfer-encoding: not in HTTP/1.0");
    return bodyBytesOfCodings(codings.join(",").toLowerCase());
  }
  if (lengths.length > 1) throw new RequestError(400, "content-length: more than one");
  const [length = "0"] = lengths;
  // Fewer digits than numbers are exact with.
  if (!/^[0-9]{1,15}$/.test(length)) throw new RequestError(400, "content-length: expected a number");
  return Number(length);
}

function bodyBytesOfCodings(codings: string): number {
  if (codings === "chunked") return Number.POSITIVE_INFINITY;
  if (/^[\w\-\t ,]+,[\t ]*chunked$/.test(codings) && codings.indexOf("chunked") === codings.length - "chunked".length) {
    throw new RequestError(501, "transfer-encoding: expected chunked alone");
  }
  throw new RequestError(400, "transfer-encoding: expected chunked");
}
