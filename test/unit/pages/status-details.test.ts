import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { readStatusDetails } from "../../../server/pages/browser/status-details.js";
import { httpVerdict } from "../../../server/pages/browser/verdicts.js";
import { TestReplySchema } from "../../gen/manywire/test/v1/test_pb.js";

const info = create(ErrorInfoSchema, { reason: "GONE", domain: "a.example", metadata: { key: "value", other: "" } });
const bad = create(BadRequestSchema, { fieldViolations: [{ field: "name", description: "Zoë" }, { field: "age" }] });
const retry = create(RetryInfoSchema, { retryDelay: { seconds: 5n, nanos: 1 } });
const reply = create(TestReplySchema, { text: "a" });

const shown = (base64: string) =>
  readStatusDetails(base64).map(({ type, text }) => [type, text.startsWith("{") ? JSON.parse(text) : text]);

it("details of google.rpc are read from a status", () => {
  const details = [
    anyPack(ErrorInfoSchema, info),
    anyPack(BadRequestSchema, bad),
    anyPack(RetryInfoSchema, retry),
    anyPack(TestReplySchema, reply),
  ];
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code: 3, message: "no", details }));
  const expected = [
    ["google.rpc.ErrorInfo", { reason: "GONE", domain: "a.example", metadata: { key: "value", other: "" } }],
    ["google.rpc.BadRequest", { fieldViolations: [{ field: "name", description: "Zoë" }, { field: "age" }] }],
    ["google.rpc.RetryInfo", { retryDelay: { seconds: "5", nanos: "1" } }],
    ["manywire.test.v1.TestReply", Buffer.from(toBinary(TestReplySchema, reply)).toString("base64")],
  ];
  expect(shown(Buffer.from(bytes).toString("base64"))).toEqual(expected);
  expect(shown(Buffer.from(bytes).toString("base64").replace(/=+$/, ""))).toEqual(expected);
});

it.each(["", "!", "/w==", "GgU="])("%j has no details", (text) => {
  expect(readStatusDetails(text)).toEqual([]);
});

it("details of Connect and of REST are read from JSON", () => {
  const response = { ok: false, status: 400 };
  const connect = { code: "invalid_argument", details: [{ type: "a.B", value: "AQ", debug: { c: 1 } }] };
  const plain = { code: "invalid_argument", details: [{ type: "a.B", value: "AQ" }] };
  const rest = { code: 3, message: "no", details: [{ "@type": "type.googleapis.com/a.B", c: 1 }] };
  const details = (error: object) => httpVerdict(response, JSON.stringify(error)).details;
  expect(details(connect)).toEqual([{ type: "a.B", text: '{\n  "c": 1\n}' }]);
  expect(details(plain)).toEqual([{ type: "a.B", text: "AQ" }]);
  expect(details(rest)).toEqual([{ type: "a.B", text: '{\n  "c": 1\n}' }]);
});
