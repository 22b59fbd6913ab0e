// The code that is made of message types, as it is.
import { create, type DescField, ScalarType } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished, test, vi } from "vitest";
import { generateReader } from "../../../server/codec/binary-read-code.js";
import { planFields as planReading } from "../../../server/codec/binary-read-plan.js";
import { generateWriter } from "../../../server/codec/binary-write-code.js";
import { planFields } from "../../../server/codec/binary-write-plan.js";
import { Code, canRunCode, interpretFirst } from "../../../server/codec/code.js";
import { messagesBeforeCode } from "../../../server/codec/code-threshold.js";
import { emptyMaker, generateMaker } from "../../../server/codec/empty.js";
import { encodeName } from "../../../server/codec/json-output.js";
import { generateReader as generateJsonReader } from "../../../server/codec/json-read-code.js";
import { failTwice } from "../../../server/codec/json-read-error.js";
import { planField as planJsonReading } from "../../../server/codec/json-read-fields.js";
import { generateWriter as generateJsonWriter } from "../../../server/codec/json-write-code.js";
import { planField } from "../../../server/codec/json-write-fields.js";
import { scalarWriters, writeString } from "../../../server/codec/json-write-scalar.js";
import { BookSchema } from "../../gen/manywire/test/codec/v1/book_pb.js";

const reader = {
  create: () => create(BookSchema),
  readSized: () => create(BookSchema),
  readGroup: () => create(BookSchema),
};
const support = { readUnknown: () => undefined, checkEnd: () => undefined, nameField: (error: unknown) => error };
const writer = { write: () => undefined, writeSized: () => undefined };

test("code is made after some messages, once", () => {
  const made: string[] = [];
  let run = interpretFirst(
    (text: string) => `plan ${text}`,
    () => {
      made.push("code");
      return (text) => `code ${text}`;
    },
    (compiled) => {
      run = compiled;
    },
  );
  const results = Array.from({ length: messagesBeforeCode + 2 }, (_, index) => run(String(index)));
  expect(results.map((text) => text.split(" ")[0])).toEqual([
    ...Array(messagesBeforeCode).fill("plan"),
    ...["code", "code"],
  ]);
  expect(made).toEqual(["code"]);
});

describe("the code", () => {
  it("that writes a type has its fields in order of their numbers", () => {
    expect(
      `${generateWriter(
        BookSchema,
        planFields(BookSchema, () => writer),
      )}`,
    ).toMatchInlineSnapshot(`
      "return function write(message) {
        if (message.$typeName !== "manywire.test.codec.v1.Book") rejectValue_0();
        let value;
        value = message["name"];
        if (!isZero_1(value)) {
          writeVarint_2(10);
          writeString_3(value);
        }
        value = message["title"];
        if (!isZero_1(value)) {
          writeVarint_2(18);
          writeString_3(value);
        }
        value = message["authors"];
        if (!Array.isArray(value)) rejectValue_0();
        for (const item of value) {
          writeVarint_2(26);
          message_4.writeSized(item);
        }
        value = message["published"];
        if (value !== undefined) {
          writeVarint_2(34);
          message_4.writeSized(value);
        }
        value = message["catalogueNumber"];
        if (!isBigNought_5(value)) {
          writeVarint_2(40);
          writeInt64_6(value);
        }
        value = message["price"];
        if (!isPlusNought_7(value)) {
          writeVarint_2(49);
          writeDouble_8(value);
        }
        value = message["stock"];
        if (value.length > 0) {
          writeVarint_2(58);
          {
            const start = openSized_9(2);
            if (!Array.isArray(value)) rejectValue_0();
            for (const item of value) {
              writeInt32_10(item);
            }
            closeSized_11(start, 2);
          }
        }
        value = message["cover"];
        if (!isZero_12(value)) {
          writeVarint_2(66);
          writeBytes_13(value);
        }
        value = message["binding"];
        if (!isNought_14(value)) {
          writeVarint_2(72);
          writeInt32_10(value);
        }
        value = message["labels"];
        for (const key of Object.keys(value)) {
          writeVarint_2(82);
          {
            const start = openSized_9(1);
            writeVarint_2(10);
            writeString_3(key);
            writeVarint_2(18);
            writeString_3(value[key]);
            closeSized_11(start, 1);
          }
        }
        value = message["rating"];
        if (value !== undefined) {
          writeVarint_2(90);
          call_15(value);
        }
        value = message["subtitle"];
        if (value !== undefined) {
          writeVarint_2(98);
          writeString_3(value);
        }
        value = message["sale"];
        if (value.case === "shop") {
          writeVarint_2(106);
          writeString_3(value.value);
        }
        value = message["sale"];
        if (value.case === "agent") {
          writeVarint_2(114);
          message_4.writeSized(value.value);
        }
        if (message.$unknown !== undefined) writeUnknown_16(message.$unknown);
      }"
    `);
  });

  it("that writes the JSON of a type has its fields in order of their numbers", () => {
    const field = (name: string) => BookSchema.fields.find((one) => one.name === name) as DescField;
    const message = { write: () => undefined };
    const plans = [
      planField(field("title"), encodeName("title"), { write: writeString }, false),
      planField(field("authors"), encodeName("authors"), { write: message.write, message }, false),
      planField(field("price"), encodeName("price"), { write: scalarWriters[ScalarType.DOUBLE] }, false),
      planField(field("subtitle"), encodeName("subtitle"), { write: writeString }, false),
      planField(field("labels"), encodeName("labels"), { write: writeString }, true),
      planField(field("agent"), encodeName("agent"), { write: message.write, message }, false),
    ];
    expect(`${generateJsonWriter(BookSchema, plans, undefined)}`).toMatchInlineSnapshot(`
      "return function write(message) {
        if (message?.$typeName !== "manywire.test.codec.v1.Book") refuse_0("manywire.test.codec.v1.Book", message);
        const start = outputPosition_1();
        let value, at = 0, field = "";
        try {
          field = "title";
          value = message["title"];
          if (value !== undefined && value !== "") {
            putName_2(name_3);
            writeString_4(value);
          }
          field = "authors";
          value = message["authors"];
          if (value?.length > 0) {
            if (!Array.isArray(value)) refuse_0("a list", value);
            putName_2(name_5);
            const start = outputPosition_1();
            let index = 0;
            try {
              for (; index < value.length; index++) {
                putComma_6();
                message_7.write(value[index]);
              }
            } catch (error) {
              throw withinItem_8(error, index);
            }
            closeList_9(start);
          }
          field = "price";
          value = message["price"];
          if (value !== undefined && !Object.is(value, 0)) {
            putName_2(name_10);
            writeDouble_11(value);
          }
          field = "subtitle";
          value = message["subtitle"];
          if (value !== undefined) {
            putName_2(name_12);
            writeString_4(value);
          }
          field = "labels";
          value = message["labels"];
          value ??= {};
          if (typeof value !== "object" || Array.isArray(value)) refuse_0("a map", value);
          {
            const keys = Object.keys(value);
            {
              putName_2(name_13);
              const start = outputPosition_1();
              let key = "";
              try {
                for (let index = 0; index < keys.length; index++) {
                  key = keys[index];
                  putComma_6();
                  writeString_4(key);
                  putColon_14();
                  writeString_4(value[key]);
                }
              } catch (error) {
                throw withinEntry_15(error, key);
              }
              closeObject_16(start);
            }
          }
          field = "agent";
          value = message["sale"];
          if (value?.case === "agent") {
            putName_2(name_17);
            message_7.write(value.value);
          }
        } catch (error) {
          throw withinField_18(error, field);
        }
        closeObject_16(start);
      };"
    `);
  });

  it("that reads a type has its fields by their numbers", () => {
    const fields = planReading(BookSchema, () => reader).filter(({ tag }) => [18, 26, 56, 58, 82, 114].includes(tag));
    expect(`${generateReader(fields, support)}`).toMatchInlineSnapshot(`
      "return function readFields(message, end, endTag, depth) {
        let tag = 0;
        try {
          while (isBefore_0(end)) {
            tag = 0;
            tag = readTag_1();
            switch (tag >>> 3) {
              case 2:
              if (tag === 18) {
                message["title"] = readString_2(depth);
                continue;
              }
              break;
              case 3:
              if (tag === 26) {
                spendElements_3(1);
                message["authors"].push(message_4.readSized(depth, undefined));
                continue;
              }
              break;
              case 7:
              if (tag === 56) {
                spendElements_3(1);
                message["stock"].push(readVarint_5(depth));
                continue;
              }
              if (tag === 58) {
                const list = message["stock"];
                const stop = readEnd_6();
                while (isBefore_0(stop)) {
                  spendElements_3(1);
                  const item = readVarint_5(depth);
                  if (isPast_7(stop)) throw pastEnd_8("list");
                  list.push(item);
                }
                continue;
              }
              break;
              case 10:
              if (tag === 82) {
                const stop = readEnd_6();
                let key = "";
                let value;
                try {
                  let part;
                  while ((part = nextTag_9(stop)) !== 0) {
                    if (part === 10) key = readKey_10();
                    else if (part === 18) value = readString_2(depth);
                    else skip_11(part, depthLeft_12(depth));
                  }
                  if (isPast_7(stop)) throw pastEnd_8("entry");
                } catch (error) {
                  throw withinEntry_13(error, key);
                }
                spendElements_3(2);
                setEntry_14(message["labels"], key, value ?? createEmpty_15());
                continue;
              }
              break;
              case 14:
              if (tag === 114) {
                message["sale"] = { case: "agent", value: message_4.readSized(depth, message["sale"].case === "agent" ? message["sale"].value : undefined) };
                continue;
              }
            }
            if (tag === endTag) return;
            readUnknown_16(message, tag, depth);
          }
          if (endTag !== -1) tag = 0;
          checkEnd_17(end, endTag);
        } catch (error) {
          throw nameField_18(error, tag, message);
        }
      };"
    `);
  });

  it("that reads the JSON of a type has its fields by their indexes", () => {
    const chosen = ["title", "authors", "labels", "subtitle", "agent"];
    const read = () => undefined;
    const fields = BookSchema.fields
      .filter(({ name }) => chosen.includes(name))
      .map((one) => planJsonReading(one, read));
    const jsonSupport = {
      takeMember: () => -1,
      readOther: () => undefined,
      nameField: (reason: unknown) => reason,
      failOneof: failTwice,
    };
    expect(`${generateJsonReader(fields, jsonSupport)}`).toMatchInlineSnapshot(`
      "return function readMembers(message, depth, passedName) {
        let index = -1, next = 0, value, names, seen0 = 0;
        try {
          do {
            index = -1;
            index = takeMember_0(next);
            if (index >= 0) next = index + 1;
            switch (index) {
              case 0:
              if ((seen0 & 1) !== 0) failTwice_1();
              seen0 |= 1;
              if (takeNull_3()) break;
              value = read_2(depth);
              if (value !== ignored_4) message["title"] = value;
              break;
              case 1:
              if ((seen0 & 2) !== 0) failTwice_1();
              seen0 |= 2;
              readList_5(message["authors"], read_2, depth);
              break;
              case 2:
              if ((seen0 & 4) !== 0) failTwice_1();
              seen0 |= 4;
              if (!takeNull_3()) readEntries_6(message["labels"], sameKey_7, read_2, depth);
              break;
              case 3:
              if ((seen0 & 8) !== 0) failTwice_1();
              seen0 |= 8;
              if (takeNull_3()) break;
              value = read_2(depth);
              if (value !== ignored_4) message["subtitle"] = value;
              break;
              case 4:
              if ((seen0 & 16) !== 0) failTwice_1();
              seen0 |= 16;
              {
                if ((seen0 & 16384) !== 0) failTwice_1(message, 4);
                seen0 |= 16384;
              }
              if (takeNull_3()) break;
              value = read_2(depth);
              if (value !== ignored_4) message["sale"] = { case: "agent", value };
              break;
              default:
              names = readOther_8(message, depth, passedName, names);
            }
          } while (take_9(44));
        } catch (reason) {
          throw nameField_10(reason, index);
        }
      };"
    `);
  });

  it("that makes a type sets the properties that `create` sets", () => {
    expect(`${generateMaker(BookSchema)}`).toMatchInlineSnapshot(`
      "function Message() {
        this["$typeName"] = "manywire.test.codec.v1.Book";
        this["name"] = "";
        this["title"] = "";
        this["authors"] = [];
        this["catalogueNumber"] = 0n;
        this["price"] = 0;
        this["stock"] = [];
        this["cover"] = noBytes_0;
        this["binding"] = 0;
        this["labels"] = {};
        this["sale"] = { case: undefined };
      }
      Message.prototype = prototype_1;
      return () => new Message();"
    `);
    const message = create(BookSchema);
    expect(emptyMaker(BookSchema, true)()).toStrictEqual(message);
    expect(emptyMaker(BookSchema, false)()).toStrictEqual(message);
  });

  it.each([true, false])("makes messages that share nothing that can be changed, compiled: %s", (compiles) => {
    const make = emptyMaker(BookSchema, compiles);
    const [one, other] = [make(), make()] as unknown as Record<string, unknown>[];
    const shared = Object.keys(one ?? {}).filter(
      (name) => typeof one?.[name] === "object" && one[name] === other?.[name],
    );
    expect(shared).toEqual(["cover"]);
  });

  it("can be run here", () => {
    expect(canRunCode).toBe(true);
  });

  it("is not made in Cloudflare's workers, which make functions of text while they start only", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    vi.resetModules();
    onTestFinished(() => void vi.unstubAllGlobals());
    const workers = await import("../../../server/codec/code.js");
    expect(workers.canRunCode).toBe(false);
  });

  it("keeps to its title, whatever that is", () => {
    const code = new Code();
    code.add("return 1;");
    expect(code.run('a\n"; throw new Error("b");//')).toBe(1);
  });

  it("gives a value one name", () => {
    const code = new Code();
    const value = {};
    expect(code.use(value, "a")).toBe(code.use(value, "b"));
    code.add(`return ${code.use(value, "c")};`);
    expect(code.run("test")).toBe(value);
  });
});
