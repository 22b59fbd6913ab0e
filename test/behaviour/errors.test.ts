import { create } from "@bufbuild/protobuf";
import { StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ServerError } from "nice-grpc";
import { expect } from "vitest";
import { ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { onlyOn } from "./combinations.js";
import { type Behaviour, describeBehaviours, type Scene } from "./table.js";
import { contentType, encodingHeaders, timeoutHeader } from "./wire.js";

const codes = Object.values(Code).filter((code) => typeof code === "number");

/** https://connectrpc.com/docs/protocol#error-codes, from code 1 on. */
const connectStatuses = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** Headers by which an error from another call could spoil the response that it is passed on with. */
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
    title: "an error that is not a ConnectError is internal without its text, and the observer gets it as cause",
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
      title: "any other thrown value is internal, too",
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

const notFound = (properties: object) => Object.assign(new ConnectError("not here", Code.NotFound), properties);
const struct = create(StructSchema);
struct.fields.self = create(ValueSchema, { kind: { case: "structValue", value: struct } });
const errorInfo = { desc: ErrorInfoSchema, value: { reason: "GONE" } };

/** Errors that no protocol can carry as they are, and what arrives. */
const unsendable: [name: string, reason: unknown, code: Code, message: string, warning: RegExp | undefined][] = [
  ...[0, 17, 1001, -1, 5.5, Number.NaN, "ECONNREFUSED"].map((code): (typeof unsendable)[number] => [
    `the code ${code}`,
    notFound({ code }),
    Code.Unknown,
    "not here",
    /^error code: expected an integer from 1 to 16, found .*; sent as unknown$/,
  ]),
  ...[
    { desc: RetryInfoSchema, value: { retryDelay: { nanos: 1500000.5 } } },
    { desc: RetryInfoSchema, value: { retryDelay: { nanos: Number.NaN } } },
    { desc: StructSchema, value: struct },
    { type: "a.B", value: "no bytes" },
    null,
  ].map((detail, index): (typeof unsendable)[number] => [
    `a detail that cannot be serialised (${index})`,
    notFound({ details: [detail, errorInfo] }),
    Code.NotFound,
    "not here",
    /^error detail 0 \(.*\): .*; not sent$/,
  ]),
  [
    "metadata with a control character",
    notFound({ metadata: new Headers({ "x-odd": "\u0001" }), details: [errorInfo] }),
    Code.NotFound,
    "not here",
    /^error metadata x-odd: control character in its value; not sent$/,
  ],
  ["the shape of grpc-js", { code: 5, details: "not here" }, Code.NotFound, "not here", undefined],
  ["the class of nice-grpc", new ServerError(5, "not here"), Code.NotFound, "not here", undefined],
];

const reasonOf = ({ text }: { text: string }) => unsendable.find(([name]) => name === text)?.[1];

describeBehaviours(
  {
    implementation: {
      unary(request) {
        throw reasonOf(request);
      },
      async *serverStream(request) {
        yield {};
        throw reasonOf(request);
      },
    },
  },
  unsendable.map(
    ([name, , code, message, warning]): Behaviour => ({
      title: `an error with ${name} arrives as ${Code[code]}, and the observer learns what is not sent`,
      async run({ client, server }) {
        for (const kind of ["unary", "serverStream"] as const) {
          const finished = server.nextFinished(kind);
          const request = { text: name };
          const call = kind === "unary" ? client.unary(request) : collect(client.serverStream(request));
          const error = await failureOf(call);
          expect([error.code, error.rawMessage]).toEqual([code, message]);
          const details = warning !== undefined && code === Code.NotFound ? [{ reason: "GONE" }] : [];
          expect(error.findDetails(ErrorInfoSchema)).toMatchObject(details);
          const told = await finished;
          expect([told.code, told.warnings.length]).toEqual([code, warning === undefined ? 0 : 1]);
          expect(told.warnings[0] ?? "").toMatch(warning ?? /^$/);
        }
      },
    }),
  ),
);

const large = "x".repeat(300_000);
const longMessage = "€".repeat(40_000);

describeBehaviours(
  {
    implementation: {
      unary({ text }, { responseHeader, responseTrailer }) {
        if (text.includes("header")) responseHeader.set("x-large", large);
        if (text.includes("trailer")) responseTrailer.set("x-large", large);
        if (text.includes("metadata")) throw notFound({ metadata: new Headers({ "x-large": large }) });
        if (text.includes("message")) throw new ConnectError(longMessage, Code.NotFound, undefined, [errorInfo]);
        if (text.includes("detail")) {
          throw notFound({ details: [{ desc: ErrorInfoSchema, value: { reason: "GONE", domain: large } }] });
        }
        if (text.includes("fails")) throw notFound({});
        return { text };
      },
      async *serverStream({ text }, { responseHeader, responseTrailer }) {
        if (text.includes("header")) responseHeader.set("x-large", large);
        yield { text };
        // More than one write: none may follow the one that fails.
        if (text === "header") for (const reply of ["a", "b", "c"]) yield { text: reply.repeat(20_000) };
        if (text.includes("trailer")) responseTrailer.set("x-large", large);
        if (text.includes("fails")) throw notFound({});
      },
    },
  },
  [
    {
      title: "headers that are too large end their call with an error, and nothing else",
      async run({ connect }) {
        const client = connect();
        for (const call of [
          () => client.unary({ text: "header" }),
          () => collect(client.serverStream({ text: "header" })),
        ]) {
          expect((await failureOf(call())).code).toBe(Code.Internal);
          expect((await client.unary({ text: "same connection" })).text).toBe("same connection");
        }
      },
    },
    {
      title: "trailers that are too large end their call with an error where they are not part of the body",
      async run({ connect, wire }) {
        const client = connect();
        const outcomes = [
          await client.unary({ text: "trailer" }).then(
            () => undefined,
            (error: ConnectError) => error.code,
          ),
          await collect(client.serverStream({ text: "trailer" })).then(
            () => undefined,
            (error: ConnectError) => error.code,
          ),
        ];
        const isInBody = wire === "grpc-web" || wire === "grpc-web-text";
        expect(outcomes).toEqual([
          isInBody ? undefined : Code.Internal,
          isInBody || wire === "connect" ? undefined : Code.Internal,
        ]);
        expect((await client.unary({ text: "same connection" })).text).toBe("same connection");
      },
    },
    ...["header fails", "trailer fails", "metadata fails"].map(
      (text): Behaviour => ({
        title: `an error keeps its code beside metadata that is too large: ${text}`,
        async run({ connect, server }) {
          const client = connect();
          const finished = server.nextFinished("unary");
          expect(await failureOf(client.unary({ text }))).toMatchObject({
            code: Code.NotFound,
            rawMessage: "not here",
          });
          expect((await finished).code).toBe(Code.NotFound);
          expect((await client.unary({ text: "same connection" })).text).toBe("same connection");
        },
      }),
    ),
    {
      title: "an error of a stream keeps its code beside trailers that are too large",
      except: [
        { lane: "reference", httpVersion: "1.1", reason: "Node adds the trailers to a response that Connect writes" },
      ],
      async run({ connect }) {
        const client = connect();
        const { code } = await failureOf(collect(client.serverStream({ text: "trailer fails" })));
        expect(code).toBe(Code.NotFound);
      },
    },
    {
      title: "a long message is shortened at the boundary of a character where it travels in trailers",
      except: (["grpc-web", "grpc-web-text"] as const).map((wire) => ({
        lane: "reference",
        wire,
        reason: "Connect writes it in full, and these trailers are a part of the body",
      })),
      async run({ prepare, send, read, wire }) {
        const answer = await send(prepare("unary", [{ text: "message" }]));
        const { code, message, trailers } = read("unary", answer);
        expect(code).toBe(Code.NotFound);
        if (wire === "connect") {
          expect(message).toBe(longMessage);
          return;
        }
        expect(message).toMatch(/^€{900,}…$/);
        expect(encodeURIComponent(message).length).toBeLessThanOrEqual(8192);
        expect((trailers["grpc-status-details-bin"] ?? "").length).toBeLessThan(9000);
      },
    },
    {
      title: "a detail that does not fit into trailers is omitted, and the observer gets a warning",
      async run({ client, server, wire, lane }) {
        const finished = server.nextFinished("unary");
        const error = await failureOf(client.unary({ text: "detail" }));
        expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "not here"]);
        const isKept = wire !== "grpc";
        expect(error.findDetails(ErrorInfoSchema).length).toBe(isKept ? 1 : 0);
        const { warnings } = await finished;
        if (lane === "fast") {
          expect(warnings).toEqual(isKept ? [] : [expect.stringMatching(/^error details not sent: response /)]);
        }
      },
    },
  ],
);
