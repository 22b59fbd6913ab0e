import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { respond } from "../../../server/http/exchange.js";
import { NodeHttp1Exchange } from "../../../server/listen/node-http1/exchange.js";
import { type Document, serveDocument } from "../../../server/pages/documents.js";
import { openConnection, type RawAnswer, type RawRequest } from "../../support/http.js";

const long = `{"text":"${"long ".repeat(1000)}"}`;
let server: http.Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
});

/** A way to ask for one document; `made` counts how often it was made. */
async function serve(make: () => Document | Promise<Document>) {
  const counts = { made: 0 };
  const handler = serveDocument(() => {
    counts.made++;
    return make();
  });
  server = http.createServer((request, response) => {
    const exchange = new NodeHttp1Exchange(request, response);
    handler(exchange)?.catch(() => respond(exchange, 500, {}));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = async (options: Partial<RawRequest> = {}): Promise<RawAnswer> => {
    await using connection = openConnection(url, "1.1");
    return await connection.request({ method: "GET", path: "/", ...options });
  };
  return { get, counts };
}

const json = (body: string): Document => ({ contentType: "application/json", body });

describe("a document", () => {
  it("is served with type, length and validator", async () => {
    const { get } = await serve(() => json("{}"));
    const { status, headers, text } = await get();
    const { date: _, connection: __, "keep-alive": ___, ...rest } = headers;
    expect({ status, rest, text }).toEqual({
      status: 200,
      rest: {
        "cache-control": "no-cache",
        "content-length": "2",
        "content-type": "application/json",
        etag: expect.stringMatching(/^"[\w-]{22}"$/),
        vary: "Accept-Encoding",
        "x-content-type-options": "nosniff",
      },
      text: "{}",
    });
  });

  it("is made once, and not before it is asked for", async () => {
    const { get, counts } = await serve(() => json("{}"));
    expect(counts.made).toBe(0);
    await get();
    await get({ method: "HEAD" });
    expect(counts.made).toBe(1);
  });

  it("has no body in the response to HEAD, and the same headers", async () => {
    const { get } = await serve(() => json(long));
    const { headers: expected } = await get();
    const { status, headers, text } = await get({ method: "HEAD" });
    expect({ status, text }).toEqual({ status: 200, text: "" });
    expect({ ...headers, date: "" }).toEqual({ ...expected, date: "" });
  });

  it("may have headers of its own, and another caching", async () => {
    const headers = { "cache-control": "immutable", "content-security-policy": "default-src 'none'" };
    const { get } = await serve(() => ({ ...json("{}"), headers }));
    expect((await get()).headers).toMatchObject(headers);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("refuses %s with the methods that it has", async (method) => {
    const { get } = await serve(() => json("{}"));
    const { status, headers } = await get({ method });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });
});

const plain = (body: Buffer) => body.toString();
const codings: [accepted: string | undefined, coding: string | undefined, read: (body: Buffer) => string][] = [
  [undefined, undefined, plain],
  ["identity", undefined, plain],
  ["zstd", undefined, plain],
  ["gzip", "gzip", (body) => gunzipSync(body).toString()],
  ["gzip, deflate, br", "br", (body) => brotliDecompressSync(body).toString()],
  ["BR;q=0.1", "br", (body) => brotliDecompressSync(body).toString()],
  ["br;q=0, gzip", "gzip", (body) => gunzipSync(body).toString()],
];

describe("a document that cannot be made", () => {
  it.each<[string, () => Document | Promise<Document>]>([
    ["because of an error", () => nothing()],
    ["because of a rejection", async () => nothing()],
  ])("%s fails the requests that wait for it, and the next one tries again", async (_, make) => {
    let isBroken = true;
    const { get, counts } = await serve(() => (isBroken ? make() : json("{}")));
    expect((await Promise.all([get(), get()])).map(({ status }) => status)).toEqual([500, 500]);
    isBroken = false;
    expect([(await get()).text, (await get()).text]).toEqual(["{}", "{}"]);
    expect(counts.made).toBe(3);
  });

  function nothing(): never {
    throw new Error("no");
  }
});

describe("compression", () => {
  it.each(codings)("by %s is %s", async (accepted, coding, read) => {
    const { get } = await serve(() => json(long));
    const { headers, body } = await get(accepted === undefined ? {} : { headers: { "accept-encoding": accepted } });
    expect(headers["content-encoding"]).toBe(coding);
    expect(Number(headers["content-length"])).toBe(body.length);
    expect(read(body)).toBe(long);
  });

  it("leaves what is short", async () => {
    const { get } = await serve(() => json("{}"));
    const { headers } = await get({ headers: { "accept-encoding": "gzip" } });
    expect(headers["content-encoding"]).toBeUndefined();
  });
});

describe("who has the document already", () => {
  it.each(["identity", "gzip", "br"])("is not sent it again as %s", async (coding) => {
    const { get } = await serve(() => json(long));
    const accepting = { "accept-encoding": coding };
    const { etag = "" } = (await get({ headers: accepting })).headers;
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const { status, headers, text } = await get({ headers: { ...accepting, "if-none-match": tag } });
      expect([status, text, headers.etag, headers.vary]).toEqual([304, "", etag, "Accept-Encoding"]);
      expect([headers["content-length"], headers["content-type"]]).toEqual([undefined, undefined]);
    }
  });

  it("is sent the new one", async () => {
    const { get } = await serve(() => json(long));
    const { status } = await get({ headers: { "if-none-match": '"other"' } });
    expect(status).toBe(200);
  });

  it("differs by coding", async () => {
    const { get } = await serve(() => json(long));
    const accepted = ["identity", "gzip", "br"];
    const answers = await Promise.all(accepted.map((coding) => get({ headers: { "accept-encoding": coding } })));
    expect(new Set(answers.map(({ headers }) => headers.etag)).size).toBe(3);
  });
});
