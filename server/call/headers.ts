// Metadata of a call as WHATWG Headers, made from Node's header objects on first use.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { hopByHop, isFieldValue, isToken, NodeHeaders, shell, toWebHeaders } from "../http/header.js";
import { toUnsendable } from "./error.js";

/** Makes objects that are `instanceof Headers`, without the lists that the constructor of Headers makes for each. */
const HeadersShell: new () => Headers = shell(Headers.prototype);

type Source = IncomingHttpHeaders | OutgoingHttpHeaders;

/**
 * Headers that are made from a Node header object when that is needed. A call whose handler and interceptors never look at
 * them costs one small object; plain values that are only set and read by name cost a map.
 */
export class LazyHeaders extends HeadersShell {
  #source: Source | (() => Source);
  /** What was set, by lower-case name, as long as that is all that was done. */
  #changes: Map<string, string> | undefined;
  #headers: Headers | undefined;

  /**
   * @param source name → value or values, or what gives that on first use. Read later, so it must not
   * change.
   */
  constructor(source: Source | (() => Source)) {
    super();
    this.#source = source;
  }

  /** Whether anybody may have changed something. */
  get isTouched(): boolean {
    return this.#headers !== undefined || this.#changes !== undefined;
  }

  /** The headers as they came; undefined if anybody may have changed something. */
  get unchanged(): Readonly<Source> | undefined {
    return this.isTouched ? undefined : this.#read();
  }

  /** Returns the headers as Node writes them; undefined if that needs a Headers object. The caller owns the result. */
  toNode(): OutgoingHttpHeaders | undefined {
    if (this.#headers !== undefined) return undefined;
    const source = this.#read();
    const node = new NodeHeaders();
    for (const name in source) {
      // Several cookies are several headers, and make Headers.
      if (Array.isArray(source[name])) return undefined;
      const value = lookUp(source, name);
      if (value !== null) node[name] = value;
    }
    this.#changes?.forEach((value, name) => {
      node[name] = value;
    });
    return node;
  }

  #read(): Source {
    if (typeof this.#source === "function") this.#source = this.#source();
    return this.#source;
  }

  #open(): Headers {
    if (this.#headers === undefined) {
      const headers = toWebHeaders(this.#read());
      this.#changes?.forEach((value, name) => {
        headers.set(name, value);
      });
      this.#headers = headers;
    }
    return this.#headers;
  }

  /** The value of a name, without making Headers. The name must be a token. */
  #find(name: string): string | null {
    return this.#changes?.get(name.toLowerCase()) ?? lookUp(this.#read(), name);
  }

  override append(name: string, value: string): void {
    if (this.#headers === undefined && isPlain(name, value) && this.#find(name) === null) this.#change(name, value);
    else this.#open().append(name, value);
  }
  override get(name: string): string | null {
    // A look at one header needs no copy of all.
    return this.#headers === undefined && isToken(name) ? this.#find(name) : this.#open().get(name);
  }
  override has(name: string): boolean {
    return this.#headers === undefined && isToken(name) ? this.#find(name) !== null : this.#open().has(name);
  }
  override set(name: string, value: string): void {
    if (this.#headers === undefined && isPlain(name, value)) this.#change(name, value);
    else this.#open().set(name, value);
  }
  #change(name: string, value: string): void {
    this.#changes ??= new Map();
    this.#changes.set(name.toLowerCase(), value);
  }
  override delete(name: string): void {
    this.#open().delete(name);
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

/** Whether Headers would take both as they are, and keep one value for the name. */
function isPlain(name: string, value: string): boolean {
  return isToken(name) && /^(?:[!-~](?:[ -~]*[!-~])?)?$/.test(value) && name.toLowerCase() !== "set-cookie";
}

function lookUp(source: Source, name: string): string | null {
  const key = name.toLowerCase();
  const value = Object.hasOwn(source, key) ? source[key] : undefined;
  if (value === undefined) return null;
  return Array.isArray(value) ? value.map(stripped).join(", ") : stripped(String(value));
}

/** A value as Headers keeps it: without white space around it. */
function stripped(value: string): string {
  const isStripped = value === "" || (value.charCodeAt(0) > 0x20 && value.charCodeAt(value.length - 1) > 0x20);
  return isStripped ? value : value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
}

/** Headers never sent as metadata: they would break the connection or the framing of the body. */
const notSent: ReadonlySet<string> = new Set([...hopByHop, "content-length"]);

/**
 * Metadata as Node writes it: lower-case name → value, or values where a name repeats (`set-cookie`) or a `-bin` header has
 * several: grpc-go decodes no lists of them. Headers that belong to the connection, or say how long a body is, are left out.
 *
 * @param keepsLists whether values of a `-bin` header stay one value
 * @throws ConnectError `internal` if HTTP cannot carry a value. Node checks that for HTTP/1.1 only.
 */
export function toNodeHeaders(headers: Headers, keepsLists = false): OutgoingHttpHeaders {
  const node = (headers instanceof LazyHeaders ? headers.toNode() : undefined) ?? copyForNode(headers);
  for (const name in node) {
    const text = String(node[name]);
    if (notSent.has(name)) delete node[name];
    else if (!isFieldValue(text)) throw toUnsendable(new TypeError(`response header ${name}: control character`));
    else if (!keepsLists && name.endsWith("-bin") && text.includes(","))
      node[name] = text.split(",").map((value) => value.trim());
  }
  return node;
}

function copyForNode(headers: Headers): OutgoingHttpHeaders {
  const node = new NodeHeaders();
  headers.forEach((value, name) => {
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
