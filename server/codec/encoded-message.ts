// A message in its binary form that has not been decoded, for calls that are only passed on.
import type { DescMessage, Message } from "@bufbuild/protobuf";

/** The binary form of a message of a type. It has the type's name, and none of its fields. */
export class EncodedMessage implements Message {
  readonly $typeName: string;
  readonly bytes: Uint8Array;

  constructor({ typeName }: DescMessage, bytes: Uint8Array) {
    this.$typeName = typeName;
    this.bytes = bytes;
  }
}

/** Copies the bytes of an encoded message after so many free ones. @throws TypeError if it is none */
export function writeEncoded(message: Message, reserve: number): Uint8Array {
  if (!(message instanceof EncodedMessage)) {
    throw new TypeError(`${message.$typeName}: expected an encoded message, found a decoded one`);
  }
  const { bytes } = message;
  const copy = new Uint8Array(reserve + bytes.length);
  copy.set(bytes, reserve);
  return copy;
}
