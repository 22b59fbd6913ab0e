// Requests under all limits on bytes that decode to as much as possible: none may hold the server for long, or take much
// of its memory. MANYWIRE_ABUSE=long sends all shapes, without it every fifth.
import { brotliCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { envelope } from "../support/envelopes.js";
import { type RawRequest, request } from "../support/http.js";
import { binaryShapes, bulkBytes, jsonShapes, type Shapes } from "./bulk.js";
import { codeOf } from "./codes.js";
import { isLong } from "./long.js";
import { useVictim } from "./victim.js";

const megabyte = 1024 * 1024;
/** Node's young generation alone may have 48 MB, and what arrives and is decompressed is there too. */
const peakBytes = 300 * megabyte;
/** Several times what a request takes on a quiet machine: caches and memory are shared with other work. */
const cpuMs = 4000;
/** The bound on processor time counts; real time is also that of other tests. */
const patienceMs = 30_000;

type Codec = "proto" | "json";
/** A way in which a message comes. */
interface Way {
  readonly name: string;
  readonly codecs: readonly Codec[];
  readonly encodingHeader: string;
  request(codec: Codec, message: Buffer, isCompressed: boolean): Omit<RawRequest, "headers"> & { type: string };
}

const service = "/manywire.test.limits.v1.BulkService";
const both = ["proto", "json"] as const;
const ways: readonly Way[] = [
  ...(["grpc", "grpc-web"] as const).map(
    (name): Way => ({
      name,
      codecs: both,
      encodingHeader: "grpc-encoding",
      request: (codec, message, isCompressed) => ({
        path: `${service}/Take`,
        httpVersion: name === "grpc" ? "2" : "1.1",
        type: `application/${name}+${codec}`,
        body: envelope(message, isCompressed ? 1 : 0),
      }),
    }),
  ),
  {
    name: "Connect",
    codecs: both,
    encodingHeader: "content-encoding",
    request: (codec, body) => ({ path: `${service}/Take`, type: `application/${codec}`, body }),
  },
  {
    name: "a stream of Connect",
    codecs: both,
    encodingHeader: "connect-content-encoding",
    request: (codec, message, isCompressed) => ({
      path: `${service}/TakeEach`,
      type: `application/connect+${codec}`,
      body: envelope(message, isCompressed ? 1 : 0),
    }),
  },
  {
    name: "REST",
    codecs: ["json"],
    encodingHeader: "content-encoding",
    request: (_, body) => ({ path: "/v1/bulk", httpVersion: "2", type: "application/json", body }),
  },
  {
    name: "a stream of REST",
    codecs: ["json"],
    encodingHeader: "content-encoding",
    request: (_, body) => ({ path: "/v1/bulk:each", type: "application/x-ndjson", body }),
  },
];

const waysOf = (codec: Codec) => ways.filter(({ codecs }) => codecs.includes(codec));

describe("a message of 4 MiB", () => {
  const victim = useVictim({ limits: {}, drainTimeoutMs: 2000, heapMb: 512 });

  /** Sends a message, and returns the code of the response. */
  async function send(way: Way, codec: Codec, message: Buffer, isCompressed = false): Promise<string> {
    expect(message.length).toBeLessThanOrEqual(bulkBytes);
    let code = "none";
    const attack = async (url: string) => {
      const { type, ...sent } = way.request(codec, isCompressed ? brotliCompressSync(message) : message, isCompressed);
      const encoding = isCompressed ? { [way.encodingHeader]: "br" } : {};
      const answer = await request(url, { ...sent, headers: { "content-type": type, ...encoding } });
      code = codeOf(answer);
    };
    const { after } = await victim.withstand(attack, { peakBytes, heldBytes: 16 * megabyte, patienceMs });
    expect(after.cpuMs).toBeLessThan(cpuMs);
    return code;
  }

  const rows = (codec: Codec, shapes: Shapes) =>
    Object.entries(shapes)
      .map(([name, make], index) => {
        const all = waysOf(codec);
        const way = all[index % all.length] as Way;
        return [name, way.name, way, make] as const;
      })
      .filter((_, index) => isLong || index % 5 === 0);

  test.each(rows("proto", binaryShapes))(
    "is taken or refused in time, in protobuf: %s by %s",
    { timeout: 60_000 },
    async (_, _way, way, make) => {
      expect(await send(way, "proto", make())).toMatch(/^(0|none|8|resource_exhausted)$/);
    },
  );

  test.each(rows("json", jsonShapes))(
    "is taken or refused in time, in JSON: %s by %s",
    { timeout: 60_000 },
    async (_, _way, way, make) => {
      expect(await send(way, "json", make())).toMatch(/^(0|none|[38]|resource_exhausted|invalid_argument)$/);
    },
  );

  test.each(waysOf("proto").map((way) => [way.name, way] as const))(
    "of a few bytes before decompression is refused in protobuf by %s",
    { timeout: 60_000 },
    async (_, way) => {
      const message = binaryShapes["messages of a wide type"]?.() ?? Buffer.alloc(0);
      expect(brotliCompressSync(message).length).toBeLessThan(50);
      expect(await send(way, "proto", message, true)).toMatch(/^(8|resource_exhausted)$/);
    },
  );

  test.each(waysOf("json").map((way) => [way.name, way] as const))(
    "of a few bytes before decompression is refused in JSON by %s",
    { timeout: 60_000 },
    async (_, way) => {
      const message = jsonShapes["messages of a wide type"]?.() ?? Buffer.alloc(0);
      expect(await send(way, "json", message, true)).toMatch(/^(8|resource_exhausted)$/);
    },
  );

  test.each([
    ["floats", "packed floats"],
    ["numbers", "packed int64"],
    ["strings", "strings of two characters"],
  ])("of packed or short values that are harmless is taken: %s", { timeout: 60_000 }, async (_, name) => {
    const message = binaryShapes[name]?.() ?? Buffer.alloc(0);
    expect(await send(ways[0] as Way, "proto", message)).toBe("0");
  });

  test("of 100,000 small messages is taken", { timeout: 60_000 }, async () => {
    const field = Buffer.from("ba01080801080108010801", "hex");
    expect(await send(ways[0] as Way, "proto", Buffer.alloc(100_000 * field.length, field))).toBe("0");
  });
});
