import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { onlyOn } from "./combinations.js";
import { type Behaviour, describeBehaviours, type Scene } from "./table.js";
import { contentType, encodingHeaders, timeoutHeader } from "./wire.js";

const codes = Object.values(Code).filter((code) => typeof code === "number");

/** https://connectrpc.com/docs/protocol#error-codes, from code 1 on. */
const connectStatuses = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** Headers by which an error from another call could spoil the answer that it is passed on with. */
const protocolHeaders = {
  "x-fail-content-type": "text/plain",
  "x-fail-content-length": "3",
  "x-fail-content-encoding": "gzip",
  "x-fail-grpc-encoding": "gzip",
  "x-fail-grpc-status": "0",
  "x-fail-grpc-message": "fine",
  "x-fail-grpc-status-details-bin": "AAAA",
  "x-fail-connection": "close",
  "x-fail-transfer-encoding": "chunked",
  "x-fail-trailer": "x",
  "x-fail-date": "yesterday",
};

const messages: [name: string, message: string][] = [
  ["is empty", ""],
  ["has line breaks", "a\r\nb\nc"],
  ["has percent signs", "100% %41 %"],
  ["has any letters", "Grüße 你好 🎉"],
  ["is long", "x".repeat(4000)],
  ["has control characters", "a\u0000b\u0007"],
];

describeBehaviours({}, [
  {
    title: "every code arrives with message, metadata and details",
    async run({ client }) {
      for (const code of codes) {
        const failure = { code, message: `no ${code}`, reason: "BECAUSE" };
        const headers = { "x-fail-why": "because", "x-fail-why-bin": "AP8=" };
        const error = await failureOf(client.unary({ failure }, { headers }));
        expect([error.code, error.rawMessage]).toEqual([code, `no ${code}`]);
        expect([error.metadata.get("why"), error.metadata.get("why-bin")]).toEqual(["because", "AP8="]);
        expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "BECAUSE", domain: "manywire.test" }]);
      }
    },
  },
  {
    title: "every code has its HTTP status",
    except: onlyOn("connect", "the status is 200 whatever the code"),
    async run({ prepare, send }) {
      const statuses: number[] = [];
      for (const code of codes) statuses.push((await send(prepare("unary", [{ failure: { code } }]))).status);
      expect(statuses).toEqual(connectStatuses);
    },
  },
  {
    title: "an error brings the headers and trailers that the handler had set",
    async run({ client }) {
      const failure = { code: Code.Aborted };
      const headers = { "x-echo": "head", "x-echo-trailer": "tail" };
      const unary = await failureOf(client.unary({ failure }, { headers }));
      expect([unary.metadata.get("x-echo"), unary.metadata.get("x-echo-trailer")]).toEqual(["head", "tail"]);
      const stream = await failureOf(collect(client.serverStream({ failure }, { headers })));
      expect(stream.metadata.get("x-echo-trailer")).toBe("tail");
    },
  },
  {
    title: "an error comes after the replies that were before it",
    async run({ client }) {
      const failure = { code: Code.DataLoss, message: "no more", after: 3 };
      const indices: number[] = [];
      const call = async () => {
        for await (const { index } of client.serverStream({ count: 5, failure })) indices.push(index);
      };
      expect(await failureOf(call())).toMatchObject({ code: Code.DataLoss, rawMessage: "no more" });
      expect(indices).toEqual([0, 1, 2]);
    },
  },
  {
    title: "an error ends a client stream of which the handler has not read all",
    async run({ client, server }) {
      const failure = { code: Code.OutOfRange, message: "enough" };
      const finished = server.nextFinished("clientStream");
      const call = client.clientStream(each({ failure }, { text: "unread" }, { text: "unread" }));
      expect(await failureOf(call)).toMatchObject({ code: Code.OutOfRange, rawMessage: "enough" });
      expect((await finished).code).toBe(Code.OutOfRange);
    },
  },
  {
    title: "an error ends a bidirectional stream",
    except: [{ httpVersion: "1.1", reason: "it is not served there" }],
    async run({ client }) {
      const failure = { code: Code.OutOfRange, after: 1 };
      const call = collect(client.bidiStream(each({ failure }, { failure }, { failure })));
      expect((await failureOf(call)).code).toBe(Code.OutOfRange);
    },
  },
  {
    title: "an error whose metadata has the protocols' own headers spoils nothing",
    async run({ client }) {
      const failure = { code: Code.NotFound, message: "not here", reason: "GONE" };
      const headers = { ...protocolHeaders, "x-fail-x-kept": "yes" };
      for (const call of [
        () => client.unary({ failure }, { headers }),
        () => collect(client.serverStream({ failure }, { headers })),
      ]) {
        const error = await failureOf(call());
        expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "not here"]);
        expect(error.metadata.get("x-kept")).toBe("yes");
        expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "GONE" }]);
      }
      expect((await client.unary({ text: "still here" })).text).toBe("still here");
    },
  },
  ...messages.map(
    ([name, message]): Behaviour => ({
      title: `an error arrives whose message ${name}`,
      async run({ client }) {
        const failure = { code: Code.Aborted, message };
        expect((await failureOf(client.unary({ failure }))).rawMessage).toBe(message);
        expect((await failureOf(collect(client.serverStream({ failure })))).rawMessage).toBe(message);
      },
    }),
  ),
  {
    title: "an error that is no ConnectError is internal, tells nothing, and is told to the observer as the cause",
    async run({ prepare, send, read, server }) {
      for (const name of ["get", "clientStream"] as const) {
        const finished = server.nextFinished(name);
        const answer = await send(prepare(name, [{ failure: { code: 0, message: "the password is 1234" } }]));
        expect(read(name, answer)).toMatchObject({ code: Code.Internal, message: "internal error" });
        const sent = JSON.stringify([answer.headers, answer.trailers, answer.body.toString("latin1")]);
        expect(sent).not.toContain("1234");
        expect(Buffer.from(answer.text, "base64").toString()).not.toContain("1234");
        const { code, error } = await finished;
        expect([code, error?.cause]).toEqual([Code.Internal, new Error("the password is 1234")]);
      }
    },
  },
]);

const endless = "9".repeat(5000);
const connectQuotes = [{ lane: "reference", reason: "Connect's own parsers quote the whole header" }] as const;

/** Request headers that are quoted by the error that they cause. */
const quoted: [what: string, except: Behaviour["except"], headers: (scene: Scene) => Record<string, string>][] = [
  [
    "a content type",
    [],
    ({ wire, codec }) => ({ "content-type": contentType(wire, codec, TestService.method.unary) + endless }),
  ],
  [
    "a compression",
    connectQuotes,
    ({ wire }) => ({ [encodingHeaders(wire, TestService.method.unary).encoding]: endless }),
  ],
  [
    "a deadline",
    connectQuotes,
    ({ wire }) => Object.fromEntries(Object.keys(timeoutHeader(wire, 1)).map((name) => [name, endless])),
  ],
];

describeBehaviours(
  {},
  quoted.map(
    ([what, except, headersOf]): Behaviour => ({
      title: `an error quotes 100 characters at most of ${what}`,
      except: except ?? [],
      async run(scene) {
        const { body, path, headers } = scene.prepare("unary", [{}]);
        const answer = await scene.send({ path, body, headers: { ...headers, ...headersOf(scene) } });
        const text = answer.status === 415 ? answer.text : scene.read("unary", answer).message;
        expect(text).toMatch(/(?<!9)9{0,100}…/u);
        expect(text.length).toBeLessThan(500);
      },
    }),
  ),
);

const oddities: [name: string, value: unknown][] = [
  ["a text", "text"],
  ["nothing", undefined],
  ["null", null],
  ["an object", { code: 5, message: "not found" }],
  ["a number", 5],
];

describeBehaviours(
  {
    implementation: {
      unary({ text }) {
        throw oddities.find(([name]) => name === text)?.[1];
      },
      async *serverStream({ text }) {
        throw oddities.find(([name]) => name === text)?.[1];
      },
      get() {
        throw new ConnectError("a \ud800 b \udc00", Code.NotFound);
      },
      clientStream: () => Promise.reject(new ConnectError("at once", Code.Unavailable)),
    },
  },
  [
    {
      title: "whatever else a handler throws is internal, too",
      async run({ client }) {
        for (const [name] of oddities) {
          const errors = [
            await failureOf(client.unary({ text: name })),
            await failureOf(collect(client.serverStream({ text: name }))),
          ];
          for (const { code, rawMessage } of errors)
            expect([name, code, rawMessage]).toEqual([name, 13, "internal error"]);
        }
      },
    },
    {
      title: "an error arrives whose message has lone surrogates, with signs of replacement",
      async run({ client }) {
        const { code, rawMessage } = await failureOf(client.get({}));
        expect([code, rawMessage]).toEqual([Code.NotFound, "a \ufffd b \ufffd"]);
      },
    },
    {
      title: "a handler may refuse a client stream without reading it",
      async run({ client }) {
        const requests = Array.from({ length: 50 }, () => ({ data: new Uint8Array(10_000) }));
        const { code, rawMessage } = await failureOf(client.clientStream(each(...requests)));
        expect([code, rawMessage]).toEqual([Code.Unavailable, "at once"]);
      },
    },
  ],
);
