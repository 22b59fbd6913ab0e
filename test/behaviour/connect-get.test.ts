// Connect's GET: https://connectrpc.com/docs/protocol#unary-get-request
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { onlyOn } from "./combinations.js";
import { type Behaviour, describeBehaviours, type Scene } from "./table.js";
import { serialize } from "./wire.js";

const path = "/manywire.test.v1.TestService/Get";
const except = onlyOn("connect", "no other protocol has a GET");

type Query = Record<string, string>;

function get({ send }: Pick<Scene, "send">, query: Query | string, options: { method?: string; headers?: Query } = {}) {
  return send({ method: "GET", path: `${path}?${new URLSearchParams(query)}`, ...options });
}

/** The query of a call, with its message in base64 if it is not JSON. */
function queryOf({ codec, text }: Scene): Query {
  const message = serialize(codec, { text });
  const coded: Query =
    codec === "proto" ? { base64: "1", message: message.toString("base64url") } : { message: `${message}` };
  return { connect: "v1", encoding: codec, ...coded };
}

async function expectText(scene: Scene, query: Query | string): Promise<void> {
  const answer = await get(scene, query);
  expect(scene.read("get", answer)).toMatchObject({ code: undefined, replies: [{ text: scene.text }] });
}

const wrong: [what: string, change: (query: Query) => Query, status: number, message: string][] = [
  [
    "base64 that is none",
    (query) => ({ ...query, base64: "1", message: "!!!!" }),
    400,
    'query parameter "message": expected base64',
  ],
  [
    "no encoding",
    ({ encoding: _, ...query }) => query,
    415,
    `${path}: query parameter "encoding": expected "json" or "proto", found ""`,
  ],
  [
    "an unknown encoding",
    (query) => ({ ...query, encoding: "xml" }),
    415,
    `${path}: query parameter "encoding": expected "json" or "proto", found "xml"`,
  ],
  [
    "an unknown compression",
    (query) => ({ ...query, compression: "snappy" }),
    501,
    'unknown compression "snappy": supported encodings are gzip,br',
  ],
];

const behaviours: Omit<Behaviour, "except">[] = [
  { title: "a GET calls a method without side effects", run: (scene) => expectText(scene, queryOf(scene)) },
  {
    title: "Connect's client calls such a method by GET, if useHttpGet is set",
    async run({ connect, server, text }) {
      expect((await connect({ useHttpGet: true }).get({ text })).text).toBe(text);
      expect((await server.seen.started(text)).requestMethod).toBe("GET");
    },
  },
  {
    title: "base64 may be of either alphabet, with padding or without",
    async run(scene) {
      const base64 = serialize(scene.codec, { text: scene.text, data: Uint8Array.of(251, 255, 191, 254) });
      const query = { connect: "v1", encoding: scene.codec, base64: "1" };
      await expectText(scene, { ...query, message: base64.toString("base64") });
      await expectText(scene, { ...query, message: base64.toString("base64url") });
    },
  },
  {
    title: "the message of a GET may be compressed",
    async run(scene) {
      const message = gzipSync(serialize(scene.codec, { text: scene.text })).toString("base64url");
      await expectText(scene, { connect: "v1", encoding: scene.codec, base64: "1", compression: "gzip", message });
    },
  },
  {
    title: "the parameter connect may be missing",
    run: async (scene) => {
      const { connect: _, ...query } = queryOf(scene);
      await expectText(scene, query);
    },
  },
  {
    title: "a message may be empty, or missing",
    async run(scene) {
      const message = scene.codec === "json" ? "{}" : "";
      const answer = await get(scene, { encoding: scene.codec, message });
      expect(scene.read("get", answer).replies).toMatchObject([{ text: "" }]);
    },
  },
  {
    title: "a GET that is refused says why",
    async run(scene) {
      for (const [what, change, status, message] of wrong) {
        const answer = await get(scene, change(queryOf(scene)));
        expect([what, answer.status]).toEqual([what, status]);
        const isJson = answer.headers["content-type"] === "application/json";
        const told = isJson ? (JSON.parse(answer.text) as { message: string }).message : answer.text.trimEnd();
        expect([what, told]).toEqual([what, message]);
      }
    },
  },
  {
    title: "a GET for a method with side effects is 405, with what is allowed",
    async run(scene) {
      const target = `/manywire.test.v1.TestService/Unary?${new URLSearchParams(queryOf(scene))}`;
      const { status, headers } = await scene.send({ method: "GET", path: target });
      expect([status, headers.allow]).toEqual([405, "POST"]);
      expect(scene.server.seen.has(scene.text)).toBe(false);
    },
  },
  {
    title: "other HTTP methods are 405, with what is allowed",
    async run(scene) {
      for (const method of ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) {
        const { status, headers } = await get(scene, queryOf(scene), { method });
        expect([method, status, headers.allow]).toEqual([method, 405, "GET, POST"]);
      }
    },
  },
];

describeBehaviours(
  {},
  behaviours.map((behaviour) => ({ ...behaviour, except })),
);
