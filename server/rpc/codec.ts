// Reads and writes the messages of one method, with the limits and in the words of Connect.
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { createMethodSerializationLookup, type Serialization } from "@connectrpc/connect/protocol";
import type { Method, MethodOptions } from "../call/method.js";
import { createBinaryCodec } from "../codec/binary.js";
import { tooLarge } from "./envelope.js";
import type { Codec } from "./format.js";

/** The two directions of one codec. */
export interface MessageCodec {
  /** @throws ConnectError of a request that is too large or no message */
  parse(data: Uint8Array): Message;
  /**
   * Writes a reply after so many free bytes, for the head of an envelope.
   *
   * @throws ConnectError of a reply that is too large or cannot be written
   */
  serialize(message: Message, reserve: number): Buffer;
}

/** The codecs of a method, by name. */
export function createCodecs({ spec, options }: Method): Record<Codec, MessageCodec> {
  const { binaryOptions, jsonOptions } = options;
  const { input, output } = spec.method;
  const lookup = createMethodSerializationLookup(spec.method, binaryOptions, jsonOptions, options);
  return { proto: binaryCodec(input, output, options), json: jsonCodec(lookup.getI(false), lookup.getO(false)) };
}

function binaryCodec(input: DescMessage, output: DescMessage, options: MethodOptions): MessageCodec {
  const { decode } = createBinaryCodec(input, options.binaryOptions);
  const { encode } = createBinaryCodec(output, options.binaryOptions);
  const { readMaxBytes, writeMaxBytes } = options;
  return {
    parse(data) {
      if (data.length > readMaxBytes) throw tooLarge(readMaxBytes, data.length);
      try {
        return decode(data);
      } catch (reason) {
        throw binaryError("parse", reason);
      }
    },
    serialize(message, reserve) {
      const bytes = attempt(() => encode(message, reserve));
      const length = bytes.length - reserve;
      if (length <= writeMaxBytes) return bytes;
      const text = `message size ${length} is larger than configured writeMaxBytes ${writeMaxBytes}`;
      throw new ConnectError(text, Code.ResourceExhausted);
    },
  };
}

function attempt(encode: () => Buffer): Buffer {
  try {
    return encode();
  } catch (reason) {
    throw binaryError("serialize", reason);
  }
}

function binaryError(step: "parse" | "serialize", reason: unknown): ConnectError {
  return new ConnectError(`${step} binary: ${reason instanceof Error ? reason.message : reason}`, Code.Internal);
}

function jsonCodec(input: Serialization<Message>, output: Serialization<Message>): MessageCodec {
  return {
    parse: (data) => input.parse(data),
    serialize(message, reserve) {
      const bytes = output.serialize(message);
      if (reserve === 0) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const buffer = Buffer.allocUnsafe(reserve + bytes.length);
      buffer.set(bytes, reserve);
      return buffer;
    },
  };
}
