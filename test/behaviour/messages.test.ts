import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import {
  type Everything,
  type EverythingSchema,
  NodeSchema,
  ScalarsSchema,
} from "../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";
import { failureOf } from "../support/outcome.js";
import { onlyOn } from "./combinations.js";
import { describeBehaviours, type Scene } from "./table.js";
import { decodeBase64 } from "./transport.js";
import { contentType, wrapBody } from "./wire.js";

const jsonOnly = [{ codec: "proto", reason: "it is about JSON" } as const];
const protoOnly = [{ codec: "json", reason: "it is about protobuf" } as const];
const fastOnly = [
  {
    lane: "reference",
    reason: "Connect decodes with protobuf-es, and sends internal for what it cannot decode",
  } as const,
];

const readBySelf = [{ lane: "reference", reason: "protobuf-es reads the JSON" } as const];

describeBehaviours({}, [
  {
    title: "an unknown field in JSON is passed over",
    except: jsonOnly,
    async run({ prepare, send, read, text }) {
      const request = Buffer.from(JSON.stringify({ text, nothing: { of: ["the kind"] } }));
      expect(read("unary", await send(prepare("unary", [request]))).replies).toMatchObject([{ text }]);
    },
  },
  {
    title: "JSON may have a field by either of its names",
    except: jsonOnly,
    async run({ prepare, send, read }) {
      for (const name of ["replyBytes", "reply_bytes"]) {
        const outcome = read("unary", await send(prepare("unary", [Buffer.from(`{"${name}":3}`)])));
        expect(outcome.replies[0]?.data.length).toBe(3);
      }
    },
  },
  {
    title: "an unknown field in protobuf is passed over",
    except: protoOnly,
    async run({ prepare, send, read }) {
      // Field 1 "a", field 99 of every wire type but groups, field 1 again.
      const bytes = Buffer.from(
        "0a0161 9806 01 9906 0102030405060708 9a06 0168 9d06 01020304 0a0162".replaceAll(" ", ""),
        "hex",
      );
      expect(read("unary", await send(prepare("unary", [bytes]))).replies).toMatchObject([{ text: "b" }]);
    },
  },
  {
    title: "a message in parts is merged, as protobuf has it",
    except: protoOnly,
    async run({ prepare, send, read }) {
      // failure { code: 5 }, failure { message: "b" }
      const bytes = Buffer.from("3a020805 3a03120162".replaceAll(" ", ""), "hex");
      expect(read("unary", await send(prepare("unary", [bytes])))).toMatchObject({ code: Code.NotFound, message: "b" });
    },
  },
  {
    title: "invalid bytes are rejected with the field, and the code of the protocol",
    except: [...protoOnly, ...fastOnly],
    async run({ wire, prepare, send, read }) {
      const code = wire === "connect" ? Code.InvalidArgument : Code.Internal;
      const rows: [bytes: number[], message: string][] = [
        [[0x0a, 1, 0xff], "text: invalid UTF-8"],
        [[0x0a, 5, 0x61], "text: expected 5 bytes, found 1"],
        [[0x3a, 3, 0x12, 1, 0xff], "failure.message: invalid UTF-8"],
        [[0x3a, 1, 0x12, 0], "failure.message: extends past the end of its message"],
        [[0x18], "count: unexpected end of the message"],
        [[0x18, ...Array<number>(10).fill(0xff), 1], "count: invalid varint: more than 10 bytes"],
        [[0], "manywire.test.v1.TestRequest: invalid field number 0 before byte 1"],
        [[0x0e], "manywire.test.v1.TestRequest: unexpected wire type 6 before byte 1"],
      ];
      for (const [bytes, message] of rows) {
        const found = read("unary", await send(prepare("unary", [Uint8Array.from(bytes)])));
        expect(found).toMatchObject({ code, message, replies: [] });
        const streamed = read("clientStream", await send(prepare("clientStream", [Uint8Array.from(bytes)])));
        expect(streamed).toMatchObject({ code, message, replies: [] });
      }
    },
  },
]);

describeBehaviours(
  {
    implementation: {
      unary: () => ({ index: -1 }),
      async *serverStream() {
        yield { text: "fits" };
        yield { index: 2 ** 32 };
      },
      get: () => undefined as never,
    },
  },
  [
    {
      title: "a reply that cannot be written is an internal error, after those that could",
      except: protoOnly,
      async run({ client }) {
        expect((await failureOf(client.unary({}))).code).toBe(Code.Internal);
        const texts: string[] = [];
        const call = async () => {
          for await (const { text } of client.serverStream({})) texts.push(text);
        };
        expect((await failureOf(call())).code).toBe(Code.Internal);
        expect(texts).toEqual(["fits"]);
      },
    },
    {
      title: "no reply at all is an empty one, as Connect has it",
      async run({ client }) {
        expect(await client.get({})).toMatchObject({ text: "", index: 0 });
      },
    },
  ],
);

describeBehaviours({ jsonOptions: { alwaysEmitImplicit: true, ignoreUnknownFields: false } }, [
  {
    title: "the options for JSON are heeded",
    except: jsonOnly,
    async run({ prepare, send, read, wire }) {
      const strict = await send(prepare("unary", [Buffer.from('{"nothing":1}')]));
      expect(read("unary", strict).code).toBe(Code.InvalidArgument);
      const { body } = await send(prepare("unary", [{ text: "a" }]));
      const text = wire === "grpc-web-text" ? Buffer.from(body.toString(), "base64") : body;
      expect(text.toString("latin1")).toContain('{"text":"a","data":"","index":0}');
    },
  },
]);

/** Calls a method whose messages may have any field. */
function sendWhole({ wire, send }: Scene, request: string | Uint8Array): ReturnType<Scene["send"]> {
  const method = RestService.method.whole as never;
  return send({
    path: `/${RestService.typeName}/Whole`,
    headers: { "content-type": contentType(wire, "json", method) },
    body: wrapBody(wire, method, [{ flags: 0, data: Buffer.from(request) }]),
  });
}

/** Calls the same method, and returns the body of the response as text. */
async function whole(scene: Scene, request: string): Promise<string> {
  const answer = await sendWhole(scene, request);
  return scene.wire === "grpc-web-text" ? decodeBase64(answer.text).toString() : answer.text;
}

const node = create(NodeSchema, { text: "in a detail" });
const floats: MessageInitShape<typeof EverythingSchema> = {
  scalars: { floatValue: Math.fround(0.1), doubleValue: -0 },
};
const status = create(StatusSchema, { code: 5, details: [anyPack(NodeSchema, node)] });

function answerWhole(request: Everything): MessageInitShape<typeof EverythingSchema> {
  if (request.text === "floats") return floats;
  if (request.text === "fail with floats") {
    const detail = { desc: ScalarsSchema, value: { floatValue: Math.fround(0.1) } };
    throw new ConnectError("no", Code.NotFound, undefined, [detail]);
  }
  if (request.text !== "fail") return request;
  throw new ConnectError("no", Code.NotFound, undefined, [{ desc: StatusSchema, value: status }]);
}

const typePrefix = '"@type":"type.googleapis.com/';

describeBehaviours({ routes: (router) => router.service(RestService, { whole: answerWhole }) }, [
  {
    title: "JSON may have an Any of every type of the served files, and of well-known types",
    except: jsonOnly,
    async run(scene) {
      for (const any of [
        `{"text":"a",${typePrefix}manywire.test.rest.v1.Node"}`,
        `{"number":8,${typePrefix}manywire.test.rest.v1.Edition"}`,
        `{"reason":"R",${typePrefix}google.rpc.ErrorInfo"}`,
        `{"value":"1.500s",${typePrefix}google.protobuf.Duration"}`,
        `{"value":{"value":"x",${typePrefix}google.protobuf.StringValue"},${typePrefix}google.protobuf.Any"}`,
      ]) {
        expect(await whole(scene, `{"trees":{"any":${any}}}`)).toContain(`{"trees":{"any":${any}}}`);
      }
    },
  },
  {
    title: "JSON loses no digit of a 64-bit integer, and rounds to the greatest float",
    except: [...jsonOnly, ...readBySelf],
    async run(scene) {
      const request =
        '{"scalars":{"floatValue":3.4028235e+38,"int64Value":9007199254740993},"wrapped":9223372036854775807}';
      const reply = await whole(scene, request);
      expect(reply).toContain('"int64Value":"9007199254740993"');
      expect(reply).toMatch(/"floatValue":3\.402823[45]e\+38/);
      expect(reply).toContain('"wrapped":"9223372036854775807"');
    },
  },
  {
    title: "invalid JSON is rejected with the field, or with the position of a syntax error",
    except: [...jsonOnly, ...readBySelf],
    async run(scene) {
      const time = "expected an RFC 3339 time, such as 2024-02-29T12:00:00Z";
      const double =
        "expected a number from -1.7976931348623157e+308 to 1.7976931348623157e+308, NaN, Infinity or -Infinity";
      const rows: [request: string | Uint8Array, message: string][] = [
        ['{"moment":"2023-02-29T00:00:00Z"}', `moment: ${time}, found "2023-02-29T00:00:00Z"`],
        ['{"moment":5}', `moment: ${time}, found 5`],
        ['{"object":{"a":[1e400]}}', `object["a"][0]: ${double}, found 1e400`],
        ['{"color":{}}', "color: expected a name of manywire.test.rest.v1.Color or its number, found an object"],
        [Buffer.from('{"text":"\xff"}', "latin1"), "JSON line 1, column 9: a string is not valid UTF-8"],
        ['{"text":}', 'JSON line 1, column 9: expected a value, found "}"'],
      ];
      for (const [request, message] of rows) {
        const found = scene.read("unary", await sendWhole(scene, request));
        expect(found).toMatchObject({ code: Code.InvalidArgument, message, replies: [] });
      }
    },
  },
  {
    title: "an error has details of these types as JSON, too",
    except: onlyOn("connect", "details are bytes"),
    async run(scene) {
      const answer = await whole(scene, '{"text":"fail"}');
      expect(answer).toContain(
        `"debug":{"code":5,"details":[{"text":"in a detail",${typePrefix}manywire.test.rest.v1.Node"}]}`,
      );
    },
  },
  {
    title: "JSON has floats with their shortest digits, and the sign of 0",
    except: [
      ...jsonOnly,
      { lane: "reference", reason: "protobuf-es writes a float as if it were a double, and -0 as 0" },
    ],
    async run(scene) {
      expect(await whole(scene, '{"text":"floats"}')).toContain('{"scalars":{"doubleValue":-0,"floatValue":0.1}}');
    },
  },
  {
    title: "a detail of an error has floats with their shortest digits",
    except: [
      ...onlyOn("connect", "details are bytes"),
      { lane: "reference", reason: "protobuf-es writes a float as if it were a double" },
    ],
    async run(scene) {
      expect(await whole(scene, '{"text":"fail with floats"}')).toContain('"debug":{"floatValue":0.1}');
    },
  },
]);
