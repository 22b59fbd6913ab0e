// Checks what a compiler would have refused in a file that comes from elsewhere, as far as something here would break by it.
import { isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { quote } from "../quote.js";

const identifier = /^[A-Za-z_]\w*$/;
const packageName = /^(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?$/;
/** Above it a file would make logs and pages unreadable. */
const fileNameMax = 1000;
/** https://protobuf.dev/programming-guides/proto3/#assigning */
const fieldNumberMax = 0x1fff_ffff;
/** Extensions of a message with `message_set_wire_format` may have higher ones. */
const extensionNumberMax = 0x7fff_fffe;

/** @throws Error that says what is wrong, and where */
export function checkFile(file: FileDescriptorProto): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would break lines of logs.
  if (file.name === "" || file.name.length > fileNameMax || /[\x00-\x1f\x7f]/.test(file.name)) {
    throw new Error(`expected a file name without control characters, found ${quote(file.name)}`);
  }
  if (!packageName.test(file.package)) throw new Error(`expected the name of a package, found ${quote(file.package)}`);
  checkNames(`file ${quote(file.name)}`, [...file.messageType, ...file.enumType, ...file.service, ...file.extension]);
  for (const one of file.enumType) checkEnum(one);
  for (const { name, method } of file.service) checkNames(`service ${quote(name)}`, method);
  for (const one of file.extension) checkField(one, `file ${quote(file.name)}`, extensionNumberMax);
  // Messages nest as deeply as protobuf-es decodes them.
  const messages = [...file.messageType];
  for (let message = messages.pop(); message !== undefined; message = messages.pop()) {
    checkMessage(message);
    for (const nested of message.nestedType) messages.push(nested);
  }
}

function checkMessage({ name, field, oneofDecl, nestedType, enumType, extension }: DescriptorProto): void {
  const place = `message ${quote(name)}`;
  checkNames(place, [...nestedType, ...enumType, ...extension]);
  checkNames(place, [...field, ...oneofDecl]);
  const numbers = new Set<number>();
  for (const one of field) {
    checkField(one, place, fieldNumberMax);
    if (numbers.has(one.number)) throw new Error(`${place}: expected each number once, found ${one.number} twice`);
    numbers.add(one.number);
  }
  for (const one of extension) checkField(one, place, extensionNumberMax);
  for (const one of enumType) checkEnum(one);
}

function checkField(field: FieldDescriptorProto, place: string, numberMax: number): void {
  const { name, number } = field;
  if (number < 1 || number > numberMax) {
    throw new Error(`${place}: field ${quote(name)}: expected a number from 1 to ${numberMax}, found ${number}`);
  }
  // One that protobuf-es does not know is an unknown field.
  if (!isFieldSet(field, FieldDescriptorProtoSchema.field.type)) {
    throw new Error(`${place}: field ${quote(name)}: expected a type, found none or an unknown one`);
  }
}

function checkEnum({ name, value }: EnumDescriptorProto): void {
  if (value.length === 0) throw new Error(`enum ${quote(name)}: expected a value, found none`);
  checkNames(`enum ${quote(name)}`, value);
}

function checkNames(place: string, named: readonly { readonly name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of named) {
    if (!identifier.test(name)) {
      throw new Error(`${place}: expected a name of letters, digits and "_", found ${quote(name)}`);
    }
    if (names.has(name)) throw new Error(`${place}: expected each name once, found ${quote(name)} twice`);
    names.add(name);
  }
}
