// Serves fixed documents: made on the first request, from memory afterwards, compressed where that is accepted
// (RFC 9110 section 12.5.3), and not sent again to those who have them (section 13.1.2).
import { createHash } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { type Body, type Exchange, type Handler, respond, toBytes } from "../listen/exchange.js";
import { readPreferences } from "../listen/preferences.js";

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
 * A handler for GET and HEAD. What `make` throws is answered with 500, and the next request tries again.
 *
 * @param make called on the first request, and no more once it has returned
 */
export function serveDocument(make: () => Document): Handler {
  let served: ServedDocument | undefined;
  return (exchange) => {
    if (exchange.method !== "GET" && exchange.method !== "HEAD") {
      const headers = { "content-type": "text/plain; charset=utf-8", allow: "GET, HEAD" };
      respond(exchange, 405, headers, "expected GET or HEAD\n");
      return;
    }
    served ??= new ServedDocument(make());
    served.answer(exchange);
  };
}

/** One document with its compressed forms. */
class ServedDocument {
  readonly #headers: OutgoingHttpHeaders;
  readonly #body: Uint8Array;
  readonly #hash: string;
  /** Coding → body, from the first request that takes it. */
  readonly #compressed = new Map<string, Promise<Uint8Array>>();

  constructor({ contentType, body, headers }: Document) {
    this.#body = toBytes(body);
    this.#hash = createHash("sha256").update(this.#body).digest("base64url").slice(0, 22);
    this.#headers = {
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
      ...headers,
      "content-type": contentType,
    };
  }

  answer(exchange: Exchange): void {
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
      this.#compress(coding).then(
        (body) => !exchange.isClosed && respond(exchange, 200, headers, body),
        () => exchange.cut(),
      );
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
