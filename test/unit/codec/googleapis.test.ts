// Every message type of the googleapis that google-gax ships is read and written as protobuf-es does it, without its help.
import { execFileSync } from "node:child_process";
import {
  createFileRegistry,
  createRegistry,
  type DescMessage,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { DurationSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createDecoder } from "../../../server/codec/binary-read.js";
import { createStrictEncoder } from "../../../server/codec/binary-write.js";
import { createJsonDecoder } from "../../../server/codec/json-read.js";
import { createJsonEncoder } from "../../../server/codec/json-write.js";
import { NodeSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { messageOf, withRequired } from "../../support/arbitrary-message.js";
import { expectSame } from "../../support/expect-same.js";
import { inFloats } from "../../support/json-floats.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

/** Returns undefined for a message that has no JSON, such as a Value without a kind. */
function attempt(write: () => string): string | undefined {
  try {
    return write();
  } catch {
    return undefined;
  }
}

const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 4) };

const protos = "node_modules/google-gax/build/protos";
// A proto of servicecontrol imports one that the package does not ship.
const build = ["build", protos, "--exclude-path", `${protos}/google/api/servicecontrol`, "--as-file-descriptor-set"];
const files = execFileSync("node_modules/.bin/buf", [...build, "--output", "-"], { maxBuffer: 2 ** 26 });
const googleapis = createFileRegistry(fromBinary(FileDescriptorSetSchema, files));
const types = [...googleapis].filter((type): type is DescMessage => type.kind === "message");
// The types of a random Any.
const registry = createRegistry(googleapis, NodeSchema, DurationSchema);

test("the package ships what it did", () => {
  expect(types.length).toBe(406);
});

describe.each([true, false])("the messages of googleapis, compiled: %s", (compiles) => {
  test.each(types.map((desc) => [desc.typeName, desc] as const))("%s", (_, desc) => {
    const write = createStrictEncoder(desc, { compiles });
    const read = createDecoder(desc, {}, compiles);
    const writeJson = createJsonEncoder(desc, { registry, compiles });
    const readJson = createJsonDecoder(desc, { registry, compiles });
    const messages = messageOf(desc, undefined, 3).map((message) => withRequired(desc, message));
    const property = fc.property(messages, (message) => {
      const bytes = toBinary(desc, message);
      expect(write(message, 0).equals(bytes)).toBe(true);
      expectSame(read(bytes), fromBinary(desc, bytes));
      const json = attempt(() => toJsonString(desc, message, { registry }));
      const ownJson = attempt(() => writeJson(message));
      expect(ownJson && inFloats(ownJson)).toBe(json && inFloats(json));
      if (json !== undefined) expectSame(readJson(Buffer.from(json)), fromJsonString(desc, json, { registry }));
    });
    fc.assert(property, runs);
  });
});
