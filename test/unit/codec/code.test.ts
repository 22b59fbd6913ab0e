// The code that is made of message types, as it is.
import { describe, expect, it } from "vitest";
import { generateWriter } from "../../../server/codec/binary-write-code.js";
import { planFields } from "../../../server/codec/binary-write-plan.js";
import { Code, canRunCode } from "../../../server/codec/code.js";
import { BookSchema } from "../../gen/manywire/test/codec/v1/book_pb.js";

const writer = { write: () => undefined, writeSized: () => undefined };

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

  it("can be run here", () => {
    expect(canRunCode).toBe(true);
  });

  it("gives a value one name", () => {
    const code = new Code();
    const value = {};
    expect(code.use(value, "a")).toBe(code.use(value, "b"));
    code.add(`return ${code.use(value, "c")};`);
    expect(code.run("test")).toBe(value);
  });
});
