// No JSON of 4 MiB takes more than about a second to read or to refuse, under the default limit on elements.
import { createRegistry } from "@bufbuild/protobuf";
import { AnySchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { expect, test, vi } from "vitest";
import { createJsonDecoder } from "../../../server/codec/json-read.js";
import { JsonError } from "../../../server/codec/json-read-error.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

const size = 4 * 1024 * 1024;
const registry = createRegistry(EverythingSchema.file, AnySchema, StructSchema);
const options = { registry, ignoreUnknownFields: true, maxElements: 4 * 1024 * 1024 };

/** Repeats a part between a beginning and an end, up to the size. */
function fill(begin: string, part: string, end: string): string {
  return begin + part.repeat(Math.floor((size - begin.length - end.length) / part.length)) + end;
}

const node = '"@type":"x/manywire.test.rest.v1.Everything"';

/** Puts an Any within 90 others. */
function nestAnys(any: string): string {
  return `{"trees":{"any":${'{"value":'.repeat(90)}${any}${',"@type":"x/google.protobuf.Any"}'.repeat(90)}}}`;
}

test.each([
  ["submessages", fill('{"nodes":[{}', ",{}", "]}")],
  ["members of a Struct", fill('{"object":{"a":[{}', ",{}", "]}}")],
  ["strings within an Any", fill(`{"trees":{"any":{${node},"words":[""`, ',""', "]}}}")],
  ["Anys within each other, each with its type at its end", nestAnys(fill(`{${node},"text":"`, "x", '"}'))],
  ["a field mask of capitals", fill('{"wellKnown":{"fieldMask":"', "A", '"}}')],
  ["an integer of many digits", fill('{"number":', "1", "}")],
  ["an integer of many zeros", fill('{"number":"1', "0", '1"}')],
  ["a key of many digits", fill('{"trees":{"numbers":{"', "1", '":1}}}')],
  ["escape sequences", fill('{"text":"', '\\"', '"}')],
  ["a string without an end", fill('{"text":"', '\\"', "")],
  ["base64 of line ends", fill('{"data":"', "\\n", '"}')],
  ["what is ignored, and nested", fill('{"x":', "[", "")],
  ["a wrong item at the end", fill('{"words":["a"', ',"a"', ",1]}")],
])("%s", (_, text) => {
  const decode = createJsonDecoder(EverythingSchema, options);
  const bytes = Buffer.from(text);
  const start = process.cpuUsage();
  try {
    decode(bytes);
  } catch (reason) {
    if (reason instanceof JsonError) expect(reason.message.length).toBeLessThan(500);
  }
  // Twice what it takes, as others use the machine, too.
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(2_000);
});
