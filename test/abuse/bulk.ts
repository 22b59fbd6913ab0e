// Messages of 4 MiB, each of one shape, that decode to as much as possible. The type is manywire.test.limits.v1.Bulk.

/** The default of `readMaxBytes`. */
export const bulkBytes = 4 * 1024 * 1024;

/** A body by what it is made of. */
export type Shapes = Readonly<Record<string, () => Buffer>>;

/** Makes a message of as many copies of a field as fit. */
const many = (hex: string) => () => {
  const field = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return Buffer.alloc(bulkBytes - (bulkBytes % field.length), field);
};

/** Makes a message of as many fields as fit. */
const each = (make: (index: number) => Uint8Array) => () => {
  const body = Buffer.alloc(bulkBytes);
  let end = 0;
  for (let index = 0; ; index++) {
    const field = make(index);
    if (end + field.length > bulkBytes) return body.subarray(0, end);
    body.set(field, end);
    end += field.length;
  }
};

/** Makes a message of one field, which holds as much as fits of what is within. */
const within = (tag: string, body: () => Buffer) => () => {
  const start = Buffer.from(tag.replaceAll(" ", ""), "hex");
  const content = body().subarray(0, bulkBytes - 16);
  return Buffer.concat([start, varint(content.length), content]);
};

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const sized = (tag: number, ...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(tag), varint(content.length), content]);
};

/** A short text that no other index has. */
const text = (index: number) => Buffer.from(index.toString(36));

/** The same message within itself, as deep as it may be. */
function nested(): Buffer {
  let message = Buffer.alloc(0);
  for (let depth = 0; depth < 98; depth++) message = sized(0x0a, message);
  return message;
}

export const binaryShapes: Shapes = {
  "empty messages": many("0a00"),
  "messages of a small type": many("ba0100"),
  "messages of a wide type": many("6200"),
  "nested messages": each(nested),
  "packed bools": within("12", many("01")),
  "bools with tags": many("1001"),
  "packed int32": within("1a", many("01")),
  "packed negative int32": within("1a", many("ffffffffffffffffff01 02")),
  "packed int64": within("22", many("01")),
  "packed large int64": within("22", many("ffffffffffffffff7f")),
  "packed sint64": within("2a", many("01")),
  "packed fixed64": within("32", many("0102030405060708")),
  "packed doubles": within("3a", many("0102030405060708")),
  "packed floats": within("42", many("01020304")),
  "empty strings": many("4a00"),
  "strings of two characters": each((index) => sized(0x4a, Buffer.from([97 + (index % 26), 97 + (index % 25)]))),
  "strings of one character in two bytes": many("4a02c3a9"),
  "strings of 18 bytes": each((index) => sized(0x4a, Buffer.from(`${index}`.padStart(18, "é").slice(-9)))),
  "empty bytes": many("5200"),
  "bytes of one byte": many("520101"),
  "entries with strings": each((index) => sized(0x5a, sized(0x0a, text(index)))),
  "entries with one key": many("5a00"),
  "entries with numbers": each((index) => sized(0x6a, Buffer.of(8), varint(index * 7919))),
  "entries with wide messages": each((index) => sized(0x72, sized(0x0a, text(index)))),
  "wide messages in one entry": many("7200"),
  "entries of a Struct": within(
    "7a",
    each((index) => sized(0x0a, sized(0x0a, text(index)), Buffer.from("12022001", "hex"))),
  ),
  "a list in a Struct": within("7a", () =>
    sized(0x0a, Buffer.from("0a0161", "hex"), sized(0x12, sized(0x32, many("0a00")().subarray(0, bulkBytes - 64)))),
  ),
  Values: many("820100"),
  "Values with numbers": many("820109 110102030405060708"),
  "empty Any": many("8a0100"),
  "Any with bytes": many("8a0103 120101"),
  "empty FieldMasks": many("920100"),
  "paths of a FieldMask": within("9201", many("0a0161")),
  Timestamps: many("9a0102 0801"),
  Durations: many("a20102 0801"),
  "wide messages in a oneof": many("aa0100 b20100"),
  "unknown varints": within("ba01", many("1001")),
  "unknown bytes": within("ba01", many("1200")),
  "unknown groups": within("ba01", many("1314")),
  "unknown groups in groups": within(
    "ba01",
    each(() => Buffer.concat([Buffer.alloc(90, 0x13), Buffer.alloc(90, 0x14)])),
  ),
};

/** A member with as many items as fit. */
const list =
  (name: string, item: string | ((index: number) => string), open = "[", close = "]") =>
  () => {
    const make = typeof item === "string" ? () => item : item;
    const items: string[] = [];
    let length = name.length + 16;
    for (let index = 0; ; index++) {
      const next = make(index);
      length += next.length + 1;
      if (length > bulkBytes) break;
      items.push(next);
    }
    return Buffer.from(`{"${name}":${open}${items.join()}${close}}`);
  };
const map = (name: string, value: string) => list(name, (index) => `"${index.toString(36)}":${value}`, "{", "}");
const long = (name: string, character: string, open: string, close: string) => () =>
  Buffer.from(`{"${name}":${open}${character.repeat((bulkBytes - 64) / character.length)}${close}}`);

export const jsonShapes: Shapes = {
  "empty messages": list("children", "{}"),
  "messages of a small type": list("takens", "{}"),
  "messages of a wide type": list("wides", "{}"),
  "nested messages": list("children", `${'{"children":['.repeat(90)}${"]}".repeat(90)}`),
  bools: list("bools", "true"),
  int32: list("int32s", "1"),
  int64: list("int64s", "1"),
  "int64 in quotes": list("int64s", '"1"'),
  "large int64": list("int64s", '"9223372036854775807"'),
  "an int64 of millions of digits": long("int64s", "9", "[", "]"),
  "an int64 of millions of digits in quotes": long("int64s", "9", '["', '"]'),
  doubles: list("doubles", "1"),
  "long doubles": list("doubles", "1.7976931348623157e308"),
  "a double of millions of digits": long("doubles", "9", "[", "]"),
  "empty strings": list("strings", '""'),
  "strings of two characters": list("strings", '"ab"'),
  "escaped strings": list("strings", '"\\n"'),
  "a string of escapes": long("strings", "\\u00e9", '["', '"]'),
  "empty bytes": list("blobs", '""'),
  "bytes of one byte": list("blobs", '"AA"'),
  "entries with strings": map("texts", '""'),
  "entries with numbers": list("numbers", (index) => `"${(index * 7919) % 2147483648}":true`, "{", "}"),
  "entries with wide messages": map("nested", "{}"),
  "entries of a Struct": map("struct", "1"),
  "empty lists in a Struct": list("struct", "[]", '{"a":[', "]}"),
  "empty objects in a Struct": list("struct", "{}", '{"a":[', "]}"),
  "nulls in a Struct": list("struct", "null", '{"a":[', "]}"),
  "numbers in Values": list("values", "1"),
  "empty objects in Values": list("values", "{}"),
  "empty lists in a Value": list("values", "[]", "[[", "]]"),
  "empty Any": list("anys", "{}"),
  "Any of a well-known type": list("anys", '{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}}'),
  "empty FieldMasks": list("masks", '""'),
  "paths of a FieldMask": long("masks", "a,", '["', 'a"]'),
  "a FieldMask of capitals": long("masks", "A", '["', '"]'),
  "paths of capitals": long("masks", "A,", '["', 'A"]'),
  Timestamps: list("timestamps", '"2024-02-29T12:00:00Z"'),
  Durations: list("durations", '"1s"'),
  "unknown lists": list("unknown", "[]"),
  "unknown objects": list("unknown", "{}"),
  "unknown members": map("unknown", "1"),
  "unknown members of a message": () => Buffer.from(`{${map("x", "1")().toString().slice(6, -2)}}`),
  spaces: long("children", " ", "[", "]"),
};
