// Metadata of a call as WHATWG Headers, made from Node's header objects only when somebody looks.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** Makes objects that are `instanceof Headers`, without the lists that the constructor of Headers makes for each. */
const HeadersShell = function HeadersShell() {} as unknown as new () => Headers;
Object.defineProperty(HeadersShell, "prototype", { value: Headers.prototype });

/**
 * Headers that are made from a Node header object on first use. A call whose handler and interceptors never look at
 * them costs one small object.
 */
export class LazyHeaders extends HeadersShell {
  readonly #source: IncomingHttpHeaders | OutgoingHttpHeaders;
  #headers: Headers | undefined;

  /** @param source name → value or values. HTTP/2 pseudo-headers are left out. Read later, so it must not change. */
  constructor(source: IncomingHttpHeaders | OutgoingHttpHeaders) {
    super();
    this.#source = source;
  }

  /** Whether anybody may have changed something. */
  get isTouched(): boolean {
    return this.#headers !== undefined;
  }

  #open(): Headers {
    this.#headers ??= toWebHeaders(this.#source);
    return this.#headers;
  }

  override append(name: string, value: string): void {
    this.#open().append(name, value);
  }
  override delete(name: string): void {
    this.#open().delete(name);
  }
  override get(name: string): string | null {
    // A look at one header needs no copy of all.
    return this.#headers === undefined && isToken(name) ? lookUp(this.#source, name) : this.#open().get(name);
  }
  override has(name: string): boolean {
    return this.#headers === undefined && isToken(name) ? lookUp(this.#source, name) !== null : this.#open().has(name);
  }
  override set(name: string, value: string): void {
    this.#open().set(name, value);
  }
  override getSetCookie(): string[] {
    return this.#open().getSetCookie();
  }
  override forEach(callback: (value: string, name: string, parent: Headers) => void, self?: unknown): void {
    this.#open().forEach((value, name) => {
      callback.call(self, value, name, this);
    });
  }
  override entries(): HeadersIterator<[string, string]> {
    return this.#open().entries();
  }
  override keys(): HeadersIterator<string> {
    return this.#open().keys();
  }
  override values(): HeadersIterator<string> {
    return this.#open().values();
  }
  override [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.#open().entries();
  }

  static {
    // What `console.log` shows; that of Headers would look for the lists.
    Object.defineProperty(LazyHeaders.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: LazyHeaders) {
        return this.#open();
      },
    });
  }
}

/** Whether Headers would take it as a name. */
function isToken(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name);
}

function lookUp(source: IncomingHttpHeaders | OutgoingHttpHeaders, name: string): string | null {
  const key = name.toLowerCase();
  const value = Object.hasOwn(source, key) ? source[key] : undefined;
  if (value === undefined) return null;
  return Array.isArray(value) ? value.map(stripped).join(", ") : stripped(String(value));
}

/** A value as Headers keeps it: without white space around it. */
function stripped(value: string): string {
  return value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
}

function toWebHeaders(source: IncomingHttpHeaders | OutgoingHttpHeaders): Headers {
  const headers = new Headers();
  for (const name in source) {
    const value = source[name];
    if (value === undefined || name.startsWith(":")) continue;
    if (Array.isArray(value)) for (const one of value) headers.append(name, one);
    else headers.append(name, String(value));
  }
  return headers;
}

/** Headers that belong to one connection (RFC 9110 section 7.6.1). Node refuses most of them in HTTP/2. */
export const hopByHop: readonly string[] = [
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What is no metadata, whoever has set it: it would break the connection, or the body. */
const notSent: ReadonlySet<string> = new Set([...hopByHop, "content-length"]);

/**
 * Metadata as Node writes it: lower-case name → value, or values where a name repeats (`set-cookie`). Headers that belong
 * to the connection, or say how long a body is, are left out.
 */
export function toNodeHeaders(headers: Headers): OutgoingHttpHeaders {
  const node: OutgoingHttpHeaders = Object.create(null);
  headers.forEach((value, name) => {
    if (notSent.has(name)) return;
    const before = node[name];
    if (before === undefined) node[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else node[name] = [String(before), value];
  });
  return node;
}

/** Takes out of metadata what `toNodeHeaders` leaves out. */
export function deleteUnsent(headers: Headers | undefined): void {
  for (const name of notSent) headers?.delete(name);
}
