// Metadata of a call as WHATWG Headers, made from Node's header objects only when somebody looks.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/**
 * Headers that are filled from a Node header object on first use. A call whose handler and interceptors never look at
 * them costs one empty object.
 */
export class LazyHeaders extends Headers {
  #source: IncomingHttpHeaders | OutgoingHttpHeaders | undefined;

  /** @param source name → value or values. HTTP/2 pseudo-headers are left out. Read later, so it must not change. */
  constructor(source: IncomingHttpHeaders | OutgoingHttpHeaders) {
    super();
    this.#source = source;
  }

  /** Whether anybody has looked, and so may have changed something. */
  get isTouched(): boolean {
    return this.#source === undefined;
  }

  #fill(): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#source = undefined;
    for (const name in source) {
      const value = source[name];
      if (value === undefined || name.charCodeAt(0) === 58) continue;
      if (Array.isArray(value)) for (const one of value) super.append(name, one);
      else super.append(name, String(value));
    }
  }

  override append(name: string, value: string): void {
    this.#fill();
    super.append(name, value);
  }
  override delete(name: string): void {
    this.#fill();
    super.delete(name);
  }
  override get(name: string): string | null {
    this.#fill();
    return super.get(name);
  }
  override has(name: string): boolean {
    this.#fill();
    return super.has(name);
  }
  override set(name: string, value: string): void {
    this.#fill();
    super.set(name, value);
  }
  override getSetCookie(): string[] {
    this.#fill();
    return super.getSetCookie();
  }
  override forEach(callback: (value: string, name: string, parent: Headers) => void, self?: unknown): void {
    this.#fill();
    super.forEach(callback, self);
  }
  override entries(): HeadersIterator<[string, string]> {
    this.#fill();
    return super.entries();
  }
  override keys(): HeadersIterator<string> {
    this.#fill();
    return super.keys();
  }
  override values(): HeadersIterator<string> {
    this.#fill();
    return super.values();
  }
  override [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.entries();
  }
}

/** Headers as Node writes them: lower-case name → value, or values where a name repeats (`set-cookie`). */
export function toNodeHeaders(headers: Headers): OutgoingHttpHeaders {
  const node: OutgoingHttpHeaders = Object.create(null);
  headers.forEach((value, name) => {
    const before = node[name];
    if (before === undefined) node[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else node[name] = [String(before), value];
  });
  return node;
}
