import { type DescMessage, type JsonValue, type Message, toBinary } from "@bufbuild/protobuf";
import { ListValueSchema, StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createBinaryCodec } from "../../../server/codec/binary.js";
import { createJsonEncoder } from "../../../server/codec/json-write.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { registry } from "../../support/rest-bindings.js";
import { json, send, startRestServer, versions } from "../../support/rest-service.js";
import { readSent } from "./read-json.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

const decode = (desc: DescMessage, text: string): Message => readSent(desc, { registry }, text);
const encode = (desc: DescMessage, message: Message): string => createJsonEncoder(desc, { registry })(message);

/** JSON that has the key as that of an entry. */
const texts: [desc: DescMessage, text: string][] = [
  [EverythingSchema, '{"labels":{"__proto__":{"text":"a"}}}'],
  [EverythingSchema, '{"labels":{"a":{},"__proto__":{"text":"a","child":{"number":1}},"b":{}}}'],
  [EverythingSchema, '{"trees":{"texts":{"a":"b","__proto__":"c"}}}'],
  [EverythingSchema, '{"object":{"__proto__":{"a":1}}}'],
  [EverythingSchema, '{"object":{"__proto__":{"__proto__":{"__proto__":null}}}}'],
  [EverythingSchema, '{"value":{"a":[{"__proto__":7}]}}'],
  [EverythingSchema, '{"trees":{"list":[{"__proto__":{"a":1}},[{"__proto__":[]}]]}}'],
  [EverythingSchema, '{"trees":{"struct":{"__proto__":true},"value":{"__proto__":"x"}}}'],
  [StructSchema, '{"__proto__":{"a":1}}'],
  [ValueSchema, '{"__proto__":{"a":1}}'],
  [ListValueSchema, '[{"__proto__":{"a":1}}]'],
];

/** Objects whose prototype has members that a text may have set. */
function strange(value: unknown): object[] {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  const prototype = Object.getPrototypeOf(value);
  const isStrange = prototype !== null && ["a", "text"].some((name) => Object.hasOwn(prototype, name));
  return [...(isStrange ? [value] : []), ...Object.values(value).flatMap(strange)];
}

test.each(texts)("%s: %s is read and written as it is", (desc, text) => {
  const message = decode(desc, text);
  expect(encode(desc, message)).toBe(text);
  expect(strange(message)).toEqual([]);
});

test("the bytes of a message have the key, too", () => {
  const message = decode(EverythingSchema, '{"labels":{"__proto__":{}}}');
  expect(Buffer.from(toBinary(EverythingSchema, message as never)).includes("__proto__")).toBe(true);
});

test.each(['"\\u005f_proto__"', '"__pro\\u0074o__"', '"\\u005F_proto_\\u005f"'])(
  "the key may be escaped: %s",
  (key) => {
    const message = decode(EverythingSchema, `{"labels":{${key}:{"text":"a"}}}`);
    expect(encode(EverythingSchema, message)).toBe('{"labels":{"__proto__":{"text":"a"}}}');
  },
);

test("as the name of a field the key is ordinary", () => {
  const message = decode(EverythingSchema, '{"names":{"__proto__":"a"},"labels":{"__proto__":{}}}');
  expect(message).toMatchObject({ names: { proto: "a" } });
  expect(encode(EverythingSchema, message)).toBe('{"names":{"__proto__":"a"},"labels":{"__proto__":{}}}');
  expect(() => decode(EverythingSchema, '{"__proto__":1}')).toThrow(
    "__proto__: manywire.test.rest.v1.Everything has no such field",
  );
});

test("a message is not touched where it is written", () => {
  const message = decode(EverythingSchema, '{"labels":{"__proto__":{"text":"a"}}}');
  const before = toBinary(EverythingSchema, message as never);
  encode(EverythingSchema, message);
  expect(toBinary(EverythingSchema, message as never)).toEqual(before);
});

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  const whole = texts.filter(([desc]) => desc === EverythingSchema).map(([, text]) => text);
  const routes: [path: string, body: string][] = [
    ...whole.map((text): [string, string] => ["/v1/whole", text]),
    ...whole.map((text): [string, string] => [`/${RestService.typeName}/Whole`, text]),
    ["/v1/field/labels", '{"__proto__":{"text":"a"}}'],
    ["/v1/field/object", '{"__proto__":{"a":1}}'],
    ["/v1/field/value", '{"__proto__":{"a":1}}'],
  ];
  test.each(routes)("%s sends %s back as it is", async (path, body) => {
    const server = await startRestServer();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const answer = await send(server.url, { httpVersion, path, body });
    expect([answer.status, answer.text]).toEqual([200, body]);
    expect(json(answer)).toEqual(JSON.parse(body) as JsonValue);
  });

  test.each(whole)("protobuf sends %s back as it is", async (text) => {
    const server = await startRestServer();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const codec = createBinaryCodec(EverythingSchema);
    const body = codec.encode(decode(EverythingSchema, text), 0);
    const headers = { "content-type": "application/proto" };
    const answer = await send(server.url, { httpVersion, path: `/${RestService.typeName}/Whole`, body, headers });
    expect(answer.status).toBe(200);
    expect(encode(EverythingSchema, codec.decode(Uint8Array.from(answer.body)))).toBe(text);
  });
});
