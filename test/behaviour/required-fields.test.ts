// Messages without a required field (proto2, LEGACY_REQUIRED of editions) are the client's fault, in every protocol and codec.
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BulkService } from "../gen/manywire/test/limits/v1/bulk_pb.js";
import { FormSchema } from "../gen/manywire/test/limits/v1/form_pb.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { type RawAnswer, type RawRequest, request } from "../support/http.js";
import { startServer, type TestServer } from "../support/server.js";
import { routes } from "./combinations.js";
import { contentType, encodeBody, readOutcome } from "./wire.js";

const named = { name: "set" };
const path = `/${BulkService.typeName}`;
let server: TestServer;
let taken = 0;

beforeAll(async () => {
  server = await startServer({
    routes: (router) =>
      router.service(BulkService, {
        takeForm: () => {
          taken++;
          return {};
        },
        takeEachForm: async (forms) => {
          for await (const _ of forms) taken++;
          return {};
        },
      }),
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const json = (value: object) => Buffer.from(JSON.stringify(value));
/** Fields of a message, as hexadecimal digits. */
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** The same message in both codecs, and the field that is missing. */
const rows: [field: string, proto: Buffer, json: Buffer][] = [
  ["name", hex(""), json({})],
  ["name", hex("1001"), json({ number: 1 })],
  ["item[1].title", hex("0a0161 1b0a01611c 1b1c"), json({ name: "a", item: [{ title: "a" }, {}] })],
  [
    "item[0].within.child.name",
    hex("0a0161 1b 0a0161 1205 0a0161 3a00 1c"),
    json({ name: "a", item: [{ title: "a", within: { name: "a", child: {} } }] }),
  ],
  ["child.name", hex("0a0161 3a00"), json({ name: "a", child: {} })],
  ['children["b"].name', hex("0a0161 4205 0a0162 1200"), json({ name: "a", children: { b: {} } })],
  ["chosen.name", hex("0a0161 4a00"), json({ name: "a", chosen: {} })],
];

describe.each(routes)("over $wire, $codec, HTTP/$httpVersion", ({ wire, codec, httpVersion }) => {
  const call = async (kind: "unary" | "clientStream", messages: Uint8Array[]) => {
    const method = TestService.method[kind];
    const answer = await request(server.url, {
      httpVersion,
      path: `${path}/${kind === "unary" ? "TakeForm" : "TakeEachForm"}`,
      headers: { "content-type": contentType(wire, codec, method) },
      body: encodeBody(wire, codec, method, messages),
    });
    return readOutcome(wire, codec, method, answer);
  };
  const form = create(FormSchema, named);
  const whole = codec === "proto" ? toBinary(FormSchema, form) : Buffer.from(toJsonString(FormSchema, form));

  test.each(rows)("a message without %s does not reach the handler", async (field, proto, text) => {
    const before = taken;
    const sent = codec === "proto" ? proto : text;
    const expected = { code: Code.InvalidArgument, message: `${field}: required field is not set` };
    expect(await call("unary", [sent])).toMatchObject(expected);
    expect(taken).toBe(before);
    expect(await call("clientStream", [whole, sent])).toMatchObject(expected);
    expect(taken).toBe(before + 1);
  });

  test("a message with its required fields is taken", async () => {
    expect(await call("unary", [whole])).toMatchObject({ code: undefined });
    expect(await call("clientStream", [whole, whole])).toMatchObject({ code: undefined });
  });
});

describe.each(["1.1", "2"] as const)("over REST, HTTP/%s", (httpVersion) => {
  const send = (options: RawRequest): Promise<RawAnswer> =>
    request(server.url, {
      httpVersion,
      method: options.body === undefined ? "GET" : "POST",
      headers: options.body === undefined ? {} : { "content-type": "application/json" },
      ...options,
    });
  const violation = (field: string) => ({
    code: Code.InvalidArgument,
    message: `${field}: required field is not set`,
    details: [{ fieldViolations: [{ field, description: "required field is not set" }] }],
  });

  test.each(rows)("a body without %s does not reach the handler", async (field, _, body) => {
    const answer = await send({ path: "/v1/forms", body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject(violation(field));
  });

  test("a message of a stream without its field is refused", async () => {
    const answer = await send({ path: "/v1/forms:each", body: '[{"name":"a"},{"number":1}]' });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, violation("name")]);
  });

  test.each<[path: string, body: string | undefined, status: number, field: string]>([
    ["/v1/forms?number=1", undefined, 400, "name"],
    ["/v1/forms?name=a", undefined, 200, ""],
    ["/v1/forms?name=a&child.number=1", undefined, 400, "child.name"],
    ["/v1/forms?name=", undefined, 200, ""],
    ["/v1/forms/a", '{"name":"b"}', 200, ""],
    ["/v1/forms/a", "{}", 400, "child.name"],
    ["/v1/forms/a", "", 200, ""],
    ["/v1/forms", "", 400, "name"],
  ])("fields set by path and query count as set: %s with %s gets %i", async (target, body, status, field) => {
    const answer = await send({ path: target, body });
    expect(answer.status).toBe(status);
    if (status === 400) expect.soft(JSON.parse(answer.text)).toMatchObject(violation(field));
  });
});
