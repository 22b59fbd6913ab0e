import { Code, decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { expect } from "vitest";
import { collect, each, failureOf } from "../support/outcome.js";
import { describeBehaviours, type Scene, type TestClient } from "./table.js";

const bytes = Uint8Array.of(0, 255, 10, 13, 32);

/** What a call gets back besides messages. */
interface Metadata {
  header: Headers;
  trailer: Headers;
}

/** Calls with headers, by one of the kinds of methods. */
type Call = (client: TestClient, options: CallOptions) => Promise<unknown>;
type CallOptions = NonNullable<Parameters<TestClient["unary"]>[1]>;

const kinds: Record<string, Call> = {
  "a unary call": (client, options) => client.unary({}, options),
  "a server stream": (client, options) => collect(client.serverStream({ count: 2 }, options)),
  "an empty server stream": (client, options) => collect(client.serverStream({}, options)),
  "a client stream": (client, options) => client.clientStream(each({}), options),
};

async function exchange({ client }: Scene, call: Call, headers: HeadersInit): Promise<Metadata> {
  const found: Metadata = { header: new Headers(), trailer: new Headers() };
  await call(client, {
    headers,
    onHeader: (header) => {
      found.header = header;
    },
    onTrailer: (trailer) => {
      found.trailer = trailer;
    },
  });
  return found;
}

const perKind = Object.entries(kinds).flatMap(([kind, call]) => [
  {
    title: `metadata goes both ways with ${kind}`,
    async run(scene: Scene) {
      const { header, trailer } = await exchange(scene, call, { "x-echo": "there", "x-echo-trailer": "and back" });
      expect([header.get("x-echo"), header.get("x-echo-trailer")]).toEqual(["there", null]);
      expect([trailer.get("x-echo"), trailer.get("x-echo-trailer")]).toEqual([null, "and back"]);
    },
  },
  {
    title: `binary metadata goes both ways with ${kind}`,
    async run(scene: Scene) {
      const value = encodeBinaryHeader(bytes);
      const { header, trailer } = await exchange(scene, call, { "x-echo-bin": value, "x-echo-trailer-bin": value });
      expect(decodeBinaryHeader(header.get("x-echo-bin") ?? "")).toEqual(bytes);
      expect(decodeBinaryHeader(trailer.get("x-echo-trailer-bin") ?? "")).toEqual(bytes);
    },
  },
]);

describeBehaviours({}, [
  ...perKind,
  {
    title: "values of a header that repeats are joined in their order, and come back so",
    async run({ prepare, send, read }) {
      const headers = { "x-echo": ["b", "a"], "x-echo-trailer": ["d", "c"], "x-echo-bin": ["AA==", "/w=="] };
      const answer = await send(prepare("unary", [{}], { headers }));
      expect([answer.headers["x-echo"], answer.headers["x-echo-bin"]]).toEqual(["b, a", "AA==, /w=="]);
      expect(read("unary", answer).trailers["x-echo-trailer"]).toBe("d, c");
    },
  },
  {
    title: "names of headers are in any case, and values may be empty",
    async run({ prepare, send, httpVersion }) {
      // HTTP/2 has names in lower case only, and Node sees to it.
      const name = httpVersion === "2" ? "x-echo-cased" : "X-Echo-CASED";
      const { headers } = await send(prepare("unary", [{}], { headers: { [name]: "Kept", "x-echo-empty": "" } }));
      expect([headers["x-echo-cased"], headers["x-echo-empty"]]).toEqual(["Kept", ""]);
    },
  },
  {
    title: "a response without metadata has no other headers than it needs",
    async run({ prepare, send, wire, codec, httpVersion }) {
      const { headers } = await send(prepare("unary", [{}]));
      const expected = ["content-type", "date"];
      if (httpVersion === "1.1") expected.push("connection", "keep-alive");
      const { "content-length": length, "transfer-encoding": coding, ":status": status, ...rest } = headers;
      expect(Object.keys(rest).sort()).toEqual(expected.sort());
      expect(rest["content-type"]).toBe(wire === "connect" ? `application/${codec}` : `application/${wire}+${codec}`);
      expect([length, coding, status]).not.toEqual([undefined, undefined, undefined]);
    },
  },
]);

describeBehaviours(
  {
    implementation: {
      unary(_, { responseHeader }) {
        responseHeader.append("set-cookie", "a=1; path=/");
        responseHeader.append("set-cookie", "b=2");
        return {};
      },
      async *serverStream(_, { responseHeader, responseTrailer }) {
        responseHeader.set("x-early", "set before the first reply");
        yield {};
        responseHeader.set("x-late", "set after it");
        responseTrailer.set("x-trailer", "set after it");
      },
      get(_, { responseHeader }) {
        responseHeader.set("x-control", "\u0001");
        return {};
      },
    },
  },
  [
    {
      title: "a header that a handler sets twice is sent twice if joining would change it",
      async run({ prepare, send }) {
        const { headers } = await send(prepare("unary", [{}]));
        expect(headers["set-cookie"]).toEqual(["a=1; path=/", "b=2"]);
      },
    },
    {
      title: "headers can be set until the first reply, and trailers until the end",
      async run({ prepare, send, read }) {
        const answer = await send(prepare("serverStream", [{}]));
        expect([answer.headers["x-early"], answer.headers["x-late"]]).toEqual([
          "set before the first reply",
          undefined,
        ]);
        expect(read("serverStream", answer).trailers["x-trailer"]).toBe("set after it");
      },
    },
    {
      title: "a header that HTTP cannot carry ends its call with an error, and nothing else",
      async run({ client }) {
        const { code, rawMessage } = await failureOf(client.get({}));
        expect([code, rawMessage]).toEqual([Code.Internal, "the headers or trailers of the response cannot be sent"]);
        expect(await client.unary({})).toMatchObject({ text: "" });
      },
    },
  ],
);
