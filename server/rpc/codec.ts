// Reads and writes the messages of one method, with the limits and in the words of Connect.
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ByteWriter } from "../byte-writer.js";
import { tooLarge } from "../call/error.js";
import type { Method, MethodOptions } from "../call/method.js";
import { createBinaryCodec } from "../codec/binary.js";
import { BinaryError } from "../codec/binary-input.js";
import { ElementLimitError } from "../codec/element-limit.js";
import { createJsonDecoder } from "../codec/json-read.js";
import { createJsonBytesEncoder, createJsonEncoder } from "../codec/json-write.js";
import { createRequiredCheck } from "../codec/required.js";
import type { Body } from "../http/exchange.js";
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
  /** Does the same, and appends it to other replies. If it throws, nothing is appended. */
  append(message: Message, reserve: number, target: ByteWriter): void;
  /** Writes a reply that is a whole body. @throws as `serialize` does */
  serializeBody(message: Message): Body;
}

/** The codecs of a method: those of Connect, and those of gRPC and gRPC-Web. */
export type Codecs = Record<"connect" | "grpc", Record<Codec, MessageCodec>>;

/**
 * Prepares the codecs of a method. They differ in the code for bytes that are no message: `invalid_argument` in Connect,
 * `internal` in gRPC (https://grpc.github.io/grpc/core/md_doc_statuscodes.html).
 */
export function createCodecs({ spec, options }: Method): Codecs {
  const { input, output } = spec.method;
  const checkRequired = createRequiredCheck(input);
  const limit = (codec: Converter) => limitCodec(codec, options, checkRequired);
  const proto = (malformed: Code) => limit(binaryCodec(input, output, options, malformed));
  const json = limit(jsonCodec(input, output, options));
  return {
    connect: { proto: proto(Code.InvalidArgument), json },
    grpc: { proto: proto(Code.Internal), json },
  };
}

/** A codec that knows no limits on sizes. Its `parse` throws any error. */
type Converter = MessageCodec;

function limitCodec(
  codec: Converter,
  { readMaxBytes, writeMaxBytes }: MethodOptions,
  checkRequired: ((message: Message) => void) | undefined,
): MessageCodec {
  function checkLength(length: number): void {
    if (length > writeMaxBytes) throw tooLarge(writeMaxBytes, length, "writeMaxBytes");
  }
  return {
    parse(data) {
      if (data.length > readMaxBytes) throw tooLarge(readMaxBytes, data.length);
      try {
        const message = codec.parse(data);
        checkRequired?.(message);
        return message;
      } catch (reason) {
        throw parseError(reason);
      }
    },
    serialize(message, reserve) {
      const bytes = codec.serialize(message, reserve);
      checkLength(bytes.length - reserve);
      return bytes;
    },
    append(message, reserve, target) {
      const start = target.position;
      codec.append(message, reserve, target);
      const length = target.position - start - reserve;
      if (length <= writeMaxBytes) return;
      target.position = start;
      checkLength(length);
    },
    serializeBody(message) {
      const body = codec.serializeBody(message);
      checkLength(Buffer.byteLength(body));
      return body;
    },
  };
}

function parseError(reason: unknown): ConnectError {
  if (reason instanceof ElementLimitError) return new ConnectError(reason.message, Code.ResourceExhausted);
  return ConnectError.from(reason, Code.InvalidArgument);
}

function binaryCodec(
  input: DescMessage,
  output: DescMessage,
  { binaryOptions, readMaxElements: maxElements, codeGeneration: compiles = true }: MethodOptions,
  malformed: Code,
): MessageCodec {
  const { decode } = createBinaryCodec(input, { ...binaryOptions, maxElements, compiles });
  const { encode, append } = createBinaryCodec(output, { ...binaryOptions, compiles });
  function serialize(message: Message, reserve: number): Buffer {
    try {
      return encode(message, reserve);
    } catch (reason) {
      throw serializeError(reason);
    }
  }
  return {
    parse(data) {
      try {
        return decode(data);
      } catch (reason) {
        throw reason instanceof BinaryError ? new ConnectError(reason.message, malformed) : reason;
      }
    },
    serialize,
    append(message, reserve, target) {
      try {
        append(message, reserve, target);
      } catch (reason) {
        throw serializeError(reason);
      }
    },
    serializeBody: (message) => serialize(message, 0),
  };
}

function serializeError(reason: unknown): ConnectError {
  return new ConnectError(`serialize binary: ${reason instanceof Error ? reason.message : reason}`, Code.Internal);
}

function jsonCodec(
  input: DescMessage,
  output: DescMessage,
  { jsonOptions, readMaxElements: maxElements, codeGeneration: compiles = true }: MethodOptions,
): MessageCodec {
  // As everywhere: what a newer client sends is no error.
  const options = { ...jsonOptions, compiles, ignoreUnknownFields: jsonOptions?.ignoreUnknownFields ?? true };
  const decode = createJsonDecoder(input, { ...options, maxElements });
  const encodeText = createJsonEncoder(output, options);
  const encodeBytes = createJsonBytesEncoder(output, options);
  function serialize(message: Message, reserve: number): Buffer {
    try {
      return encodeBytes(message, reserve);
    } catch (reason) {
      throw ConnectError.from(reason, Code.Internal);
    }
  }
  return {
    parse: decode,
    serialize,
    append: (message, reserve, target) => target.write(serialize(message, reserve)),
    serializeBody(message) {
      try {
        return encodeText(message);
      } catch (reason) {
        throw ConnectError.from(reason, Code.Internal);
      }
    },
  };
}
