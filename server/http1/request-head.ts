// The head of a request as RFC 9112 allows it, and how its body is framed. It allows less than the RFC lets a server take: what
// another server in front could read in another way is refused.
import { connectionNames, isToken } from "../http/header.js";
import { RequestError } from "./errors.js";
import { type FieldLine, readFieldLine } from "./field-line.js";

/** The first line of a head, which is well-formed. The same object may come again in the next head. */
export class RequestLine {
  /** As it was sent, without its end. */
  readonly text: string;
  readonly method: string;
  /** As it was sent, in any form. */
  readonly target: string;
  readonly isHttp10: boolean;

  constructor(text: string, method: string, target: string, isHttp10: boolean) {
    this.text = text;
    this.method = method;
    this.target = target;
    this.isHttp10 = isHttp10;
  }
}

/** What the fields of a head say of the body and the connection. */
interface Framing {
  readonly bodyBytes: number;
  readonly keepsAlive: boolean;
  readonly expectation: string | undefined;
}

/** Another head on the connection that has the same fields but for the values of a few. */
interface SimilarHead {
  readonly head: RequestHead;
  /** Those that have other values than in that head. */
  readonly changes: readonly FieldLine[];
}

/** A well-formed head. The same object may come again for the next request. */
export class RequestHead {
  readonly line: RequestLine;
  readonly fields: readonly FieldLine[];
  /** Size of the body in bytes; `Infinity` if it comes in chunks. */
  readonly bodyBytes: number;
  /** Whether the client leaves the connection open for another request. */
  readonly keepsAlive: boolean;
  /** Value of `expect`, in lower case. HTTP/1.0 has none. */
  readonly expectation: string | undefined;
  /** For whatever the owner derives from a head, if the same one comes again, or similar ones. */
  memo: unknown = undefined;
  readonly similar: SimilarHead | undefined;

  private constructor(line: RequestLine, fields: readonly FieldLine[], framing: Framing, similar?: SimilarHead) {
    this.line = line;
    this.fields = fields;
    this.bodyBytes = framing.bodyBytes;
    this.keepsAlive = framing.keepsAlive;
    this.expectation = framing.expectation;
    this.similar = similar;
  }

  /** @throws RequestError if it is not said in one way how the body is framed */
  static of(line: RequestLine, fields: readonly FieldLine[]): RequestHead {
    return new RequestHead(line, fields, readFraming(fields, line.isHttp10));
  }

  /**
   * A head with other lines in place of some of this one's.
   *
   * @param fields those of this head, but for `changes`, which have the same names
   * @throws RequestError as `of` does
   */
  with(line: RequestLine, fields: readonly FieldLine[], changes: readonly FieldLine[]): RequestHead {
    const isFramedAlike = line.isHttp10 === this.line.isHttp10 && !changes.some(({ name }) => isSpecial(name));
    const framing = isFramedAlike ? this : readFraming(fields, line.isHttp10);
    return new RequestHead(line, fields, framing, { head: this, changes });
  }

  get method(): string {
    return this.line.method;
  }
  get target(): string {
    return this.line.target;
  }
  get isHttp10(): boolean {
    return this.line.isHttp10;
  }

  /** Names and values in turn, as they were sent. */
  get rawHeaders(): string[] {
    return this.fields.flatMap(({ rawName, value }) => [rawName, value]);
  }
}

const lineEnd = "\r\n";

/**
 * Reads a head.
 *
 * @param bytes without the empty line at its end, and without the end of its last line
 * @param before the head before it on the connection, most of whose lines come again
 * @throws RequestError
 */
export function readRequestHead(bytes: Buffer, before?: RequestHead): RequestHead {
  const lines = bytes.toString("latin1").split(lineEnd);
  const firstLine = lines[0] as string;
  const requestLine = before?.line.text === firstLine ? before.line : readRequestLine(firstLine);
  const fields: FieldLine[] = [];
  let start = 0;
  for (let index = 1; index < lines.length; index++) {
    start += (lines[index - 1] as string).length + lineEnd.length;
    const line = lines[index] as string;
    const known = before?.fields[index - 1];
    // A part of a string keeps the whole of it alive, so that a line which may stay is one of its own.
    fields.push(known?.text === line ? known : readFieldLine(bytes.toString("latin1", start, start + line.length)));
  }
  return RequestHead.of(requestLine, fields);
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
  return new RequestLine(line, method, target, version === "1.0");
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

function collect(fields: readonly FieldLine[]): SpecialFields {
  const special: SpecialFields = { "content-length": [], "transfer-encoding": [], connection: [], expect: [] };
  for (const { name, value } of fields) if (isSpecial(name)) special[name].push(value);
  return special;
}

function isSpecial(name: string): name is keyof SpecialFields {
  return name === "content-length" || name === "transfer-encoding" || name === "connection" || name === "expect";
}

/** @throws RequestError */
function readFraming(fields: readonly FieldLine[], isHttp10: boolean): Framing {
  const special = collect(fields);
  const options = connectionNames(special.connection.join(","));
  return {
    bodyBytes: bodyBytesOf(special, isHttp10),
    keepsAlive: isHttp10 ? options.has("keep-alive") : !options.has("close"),
    expectation: isHttp10 ? undefined : special.expect[0]?.toLowerCase(),
  };
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
