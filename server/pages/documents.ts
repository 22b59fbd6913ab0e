// Serves fixed documents: made on the first request, from memory afterwards, compressed where that is accepted
// (RFC 9110 section 12.5.3), and not sent again to clients that have them (section 13.1.2).
import { webcrypto } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { type Body, type Exchange, type Handler, respond, toBytes } from "../http/exchange.js";
import { readPreferences } from "../http/header.js";
import { once } from "../slices.js";

/** What is to be served at one path. */
export interface Document {
  readonly contentType: string;
  readonly body: Body;
  /** Headers besides those of type, length, coding and validator. Without them, `cache-control` is `no-cache`. */
  readonly headers?: OutgoingHttpHeaders;
}

/** Handlers by path. */
export type Documents = ReadonlyMap<string, Handler>;

/** Below this size compression saves nothing that matters. */
const minCompressedBytes = 1024;

/** The last steps of Brotli's quality cost ten times as much time as they save bytes. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

type Compress = (body: Uint8Array) => Promise<Uint8Array>;

/** The smallest result first. */
const codings: ReadonlyMap<string, Compress> = new Map<string, Compress>([
  ["br", (body) => promisify(brotliCompress)(body, brotliOptions)],
  ["gzip", (body) => promisify(gzip)(body, { level: 9 })],
]);

/**
 * Makes a handler for GET and HEAD. If `make` fails, the handler rejects, and the next request calls `make` again.
 *
 * @param make called on the first request; requests that arrive before it resolves share the result
 */
export function serveDocument(make: () => Document | Promise<Document>): Handler {
  const serve = once(async () => createServed(await make()));
  return async (exchange) => {
    if (refuseMethod(exchange)) return;
    const served = await serve();
    if (!exchange.isClosed) await served.answer(exchange);
  };
}

/** Rejects all methods but GET and HEAD. Returns true if it has. */
export function refuseMethod(exchange: Exchange): boolean {
  if (exchange.method === "GET" || exchange.method === "HEAD") return false;
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  respond(exchange, 405, { ...headers, allow: "GET, HEAD" }, "expected GET or HEAD\n");
  return true;
}

/** Hashes on Node's thread pool: 8 MB take 30 ms. */
async function createServed(document: Document): Promise<ServedDocument> {
  const body = toBytes(document.body);
  const hash = await webcrypto.subtle.digest("SHA-256", body);
  return new ServedDocument(document, body, Buffer.from(hash).toString("base64url").slice(0, 22));
}

/** One document with its compressed forms. */
class ServedDocument {
  readonly #headers: OutgoingHttpHeaders;
  readonly #body: Uint8Array;
  readonly #hash: string;
  /** Coding → body, from the first request that takes it. */
  readonly #compressed = new Map<string, Promise<Uint8Array>>();

  constructor({ contentType, headers }: Omit<Document, "body">, body: Uint8Array, hash: string) {
    this.#body = body;
    this.#hash = hash;
    this.#headers = {
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
      ...headers,
      "content-type": contentType,
    };
  }

  async answer(exchange: Exchange): Promise<void> {
    const coding = this.#body.length < minCompressedBytes ? undefined : chooseCoding(exchange);
    // Another coding is another representation, and a strong validator tells them apart.
    const etag = coding === undefined ? `"${this.#hash}"` : `"${this.#hash}-${coding}"`;
    if (isKnown(exchange, etag)) {
      const { "content-type": _, ...headers } = this.#headers;
      exchange.sendHead(304, { ...headers, etag });
      exchange.end();
    } else if (coding === undefined) {
      respond(exchange, 200, { ...this.#headers, etag }, this.#body);
    } else {
      const headers = { ...this.#headers, etag, "content-encoding": coding };
      const body = await this.#compress(coding);
      if (!exchange.isClosed) respond(exchange, 200, headers, body);
    }
  }

  #compress(coding: string): Promise<Uint8Array> {
    const compress = codings.get(coding) as Compress;
    const compressed = this.#compressed.get(coding) ?? compress(this.#body);
    this.#compressed.set(coding, compressed);
    return compressed;
  }
}

function chooseCoding({ headers }: Exchange): string | undefined {
  const accepted = readPreferences(joined(headers["accept-encoding"]));
  return [...codings.keys()].find((coding) => accepted.includes(coding));
}

/** Whether the client says that it has this very representation. The comparison is weak, as section 13.1.2 asks for. */
function isKnown({ headers }: Exchange, etag: string): boolean {
  const tags = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return tags.includes(etag) || tags.includes("*");
}

/** Node's types have a list where a header may repeat. */
function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}
