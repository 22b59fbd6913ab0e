import { createRegistry, type DescFile, type Registry } from "@bufbuild/protobuf";
import { DurationSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { expect, test, vi } from "vitest";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { preferTypes } from "../../../server/schema/file-types.js";
import { commonTypes, createFileTypes } from "../../../server/schema/types.js";
import { http } from "../../gen/google/api/annotations_pb.js";
import {
  file_manywire_test_codec_v1_legacy,
  LegacySchema,
  ticket,
} from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import { NodeSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";

const served = createFileTypes(new Set([RestService.file]));

test.each([
  ["a type of a file", NodeSchema.typeName, served, NodeSchema],
  ["a type of a file that is imported", EditionSchema.typeName, served, EditionSchema],
  ["an option, of a file that is imported", http.typeName, served, http],
  ["a service", RestService.typeName, served, RestService],
  ["a well-known type that no file imports", DurationSchema.typeName, createFileTypes(new Set()), DurationSchema],
  ["the status of an error", StatusSchema.typeName, commonTypes, StatusSchema],
  ["a detail of an error", BadRequestSchema.typeName, commonTypes, BadRequestSchema],
  ["no type of a file that is not there", LegacySchema.typeName, served, undefined],
])("%s is found", (_, name, types, expected) => {
  expect(types.get(name) === expected).toBe(true);
});

test("extensions are found by what they extend", () => {
  const types = createFileTypes(new Set([file_manywire_test_codec_v1_legacy]));
  expect(types.getExtensionFor(LegacySchema, 100) === ticket).toBe(true);
  expect(types.getExtension(ticket.typeName) === ticket).toBe(true);
  expect(types.getExtensionFor(LegacySchema, 199)).toBeUndefined();
  expect(served.getExtensionFor(LegacySchema, 100)).toBeUndefined();
});

test("files are read when a type is looked for, and again only if there are more", () => {
  const files = new Set<DescFile>();
  const read = vi.spyOn(files, Symbol.iterator);
  const types = createFileTypes(files);
  expect(read).not.toHaveBeenCalled();
  for (let times = 0; times < 3; times++) expect(types.getMessage(LegacySchema.typeName)).toBeUndefined();
  expect(read).toHaveBeenCalledOnce();
  files.add(file_manywire_test_codec_v1_legacy);
  expect(types.getMessage(LegacySchema.typeName) === LegacySchema).toBe(true);
  expect(types.getMessage(StructSchema.typeName) === StructSchema).toBe(true);
  expect(read).toHaveBeenCalledTimes(2);
});

test("a registry that is given comes first", () => {
  const own = { ...NodeSchema };
  const types = preferTypes(createRegistry(own, LegacySchema), served);
  expect(types.getMessage(NodeSchema.typeName) === own).toBe(true);
  expect(types.getMessage(LegacySchema.typeName) === LegacySchema).toBe(true);
  expect(types.getMessage(EditionSchema.typeName) === EditionSchema).toBe(true);
  expect(createRegistry(types).getMessage(NodeSchema.typeName) === own).toBe(true);
  expect([...types].includes(EditionSchema)).toBe(true);
});

test("two registries make one, and always the same", () => {
  const own: Registry = createRegistry(NodeSchema);
  expect(preferTypes(own, served)).toBe(preferTypes(own, served));
  expect(preferTypes(undefined, served)).toBe(served);
});
