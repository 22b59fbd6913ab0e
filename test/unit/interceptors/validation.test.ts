import { create, createFileRegistry, type DescMessage, setExtension } from "@bufbuild/protobuf";
import { FieldOptionsSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import * as library from "@bufbuild/protovalidate";
import {
  FieldRulesSchema,
  field,
  file_buf_validate_validate,
  PredefinedRulesSchema,
  predefined,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, test } from "vitest";
import { createMethodTable } from "../../../server/call/table.js";
import { validation } from "../../../server/interceptors/index.js";
import { Validators } from "../../../server/interceptors/validation/validators.js";
import { toBadRequest } from "../../../server/interceptors/validation/violations.js";
import { loadPackage } from "../../../server/load-package.js";
import { toUniversalHandler } from "../../../server/reference/universal-handler.js";
import { TestRequestSchema, TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { ruledService } from "../../support/ruled-service.js";

/** A message with a list of numbers, each of which has to be above 0. */
function listType(): DescMessage {
  const options = create(FieldOptionsSchema);
  const items = { type: { case: "int32", value: { greaterThan: { case: "gt", value: 0 } } } } as const;
  setExtension(options, field, create(FieldRulesSchema, { type: { case: "repeated", value: { items } } }));
  const numbers = { name: "numbers", jsonName: "numbers", number: 1, type: 5, label: 3, options };
  const file = create(FileDescriptorProtoSchema, {
    ...{ name: "list.proto", package: "list", syntax: "proto3" },
    messageType: [{ name: "List", field: [numbers] }],
  });
  return createFileRegistry(file, () => undefined).getMessage("list.List") as DescMessage;
}

const listOf = (type: DescMessage, length: number) => create(type, { numbers: new Array(length).fill(0) });

describe("violations", () => {
  const type = listType();
  const validators = new Validators(library);

  test("of a small message are all found, and the first are in the message", () => {
    const violations = validators.validate(type, listOf(type, 100));
    expect(violations).toMatchObject({ found: { length: 100 }, isPart: false });
    if (violations === undefined) throw new Error("expected violations");
    const { rawMessage, details } = toBadRequest(violations);
    expect(rawMessage).toBe(
      `${[0, 1, 2].map((index) => `numbers[${index}]: must be greater than 0 [int32.gt]`).join("; ")}; 97 more violations`,
    );
    expect(details).toMatchObject([{ value: { fieldViolations: { length: 16 } } }]);
  });

  test("of a large message are not all looked for", () => {
    const violations = validators.validate(type, listOf(type, 100_000));
    expect(violations).toMatchObject({ found: { length: 1 }, isPart: true });
    if (violations === undefined) throw new Error("expected violations");
    expect(toBadRequest(violations).rawMessage).toBe(
      "numbers[0]: must be greater than 0 [int32.gt]; maybe more violations",
    );
  });

  test("of a rule whose id is no name have no reason", () => {
    const own = ruledService({ count: { celExpression: ["this < 5u"] } }).method.unary.input;
    const violations = validators.validate(own, create(TestRequestSchema, { count: 9 }));
    if (violations === undefined) throw new Error("expected violations");
    expect(toBadRequest(violations).details).toMatchObject([
      { value: { fieldViolations: [{ field: "count", description: '"this < 5u" returned false', reason: "" }] } },
    ]);
  });
});

test("predefined rules of a schema are known", () => {
  const options = create(FieldOptionsSchema);
  const rule = { id: "int32.odd", message: "must be odd", expression: "this % 2 == 1" };
  setExtension(options, predefined, create(PredefinedRulesSchema, { cel: [rule] }));
  const rules = create(FileDescriptorProtoSchema, {
    ...{ name: "odd.proto", package: "odd", syntax: "proto2", dependency: ["buf/validate/validate.proto"] },
    extension: [{ name: "odd", number: 80048952, type: 8, label: 1, extendee: ".buf.validate.Int32Rules", options }],
  });
  const known = createFileRegistry(rules, () => file_buf_validate_validate);
  const odd = known.getExtension("odd.odd");
  if (odd === undefined) throw new Error("expected an extension");
  const fieldOptions = create(FieldOptionsSchema);
  const own = create(FieldRulesSchema, { type: { case: "int32", value: {} } });
  if (own.type.case === "int32") setExtension(own.type.value, odd, true);
  setExtension(fieldOptions, field, own);
  const number = { name: "n", jsonName: "n", number: 1, type: 5, label: 1, options: fieldOptions };
  const file = create(FileDescriptorProtoSchema, {
    ...{ name: "m.proto", package: "odd", syntax: "proto3", dependency: ["odd.proto"] },
    messageType: [{ name: "M", field: [number] }],
  });
  const type = createFileRegistry(file, () => known.getFile("odd.proto")).getMessage("odd.M") as DescMessage;
  const validators = new Validators(library);
  expect(validators.validate(type, create(type, { n: 3 }))).toBeUndefined();
  expect(String(validators.validate(type, create(type, { n: 2 }))?.found[0])).toBe("n: must be odd [int32.odd]");
});

describe("validation", () => {
  test("is for methods with rules, in the request or in messages inside it", async () => {
    const { appliesTo } = await validation();
    expect(appliesTo?.(TestService.method.unary)).toBe(false);
    expect(appliesTo?.(ruledService().method.unary)).toBe(true);
  });

  test("leaves methods without rules without interceptors, which the bytes of forwarded calls pass by", async () => {
    const interceptors = [await validation()];
    const table = createMethodTable({ interceptors }, toUniversalHandler);
    table.router.service(TestService, { unary: () => ({}), get: () => ({}) });
    const numbers = [...table.methods.values()].map((method) => method.interceptors.length);
    expect(new Set(numbers)).toEqual(new Set([0]));
    table.router.service(ruledService(), { unary: () => ({}) });
    expect(table.methods.get("/manywire.test.v1.TestService/Unary")?.options.interceptors).toEqual(interceptors);
  });

  test.each<[object, string]>([
    [{ method: "*" }, 'validation: unknown option "method": did you mean "methods"?'],
    [
      { methods: "Greeter" },
      'validation: methods: expected package.Service/Method, package.Service/* or *, found "Greeter"',
    ],
  ])("refuses %j", async (options, message) => {
    await expect(validation(options)).rejects.toThrow(new TypeError(message));
  });

  test.each<[expression: string, message: string]>([
    ["this >", "failed to compile own.rule: syntax error: <input>:1:6: found >"],
    ["nothing > 1u", "unresolved attribute"],
    ["size(this) > 1", "found no matching overload for 'size' applied to '(uint)'"],
    ["unknown(this)", "unbound function: unknown"],
    ["this", "expression own.rule outputs object, wanted either bool or string"],
  ])("finds at the start that a rule is wrong: %s", async (expression, message) => {
    const { prepare } = await validation();
    const service = ruledService({ count: { cel: [{ id: "own.rule", expression }] } });
    const found = () => prepare?.(service.method.unary);
    expect(found).toThrow(`rules of manywire.test.v1.TestRequest: ${message}`);
  });
});

describe("a package that is missing", () => {
  test("is named, with the way to install it", async () => {
    const load = () => import("@manywire/missing" as string);
    await expect(loadPackage("--validate", "@manywire/missing", load)).rejects.toThrow(
      "--validate: expected the package @manywire/missing, found none; npm install @manywire/missing",
    );
  });

  test("is another fault than one that cannot be loaded", async () => {
    const fault = new Error("broken");
    await expect(loadPackage("--validate", "x", () => Promise.reject(fault))).rejects.toBe(fault);
  });
});
