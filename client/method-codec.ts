// Reads and writes the messages of one method with our own codec, in the words of Connect.
import { type DescField, type DescMessage, type DescMethod, type Message, ScalarType } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CommonTransportOptions } from "@connectrpc/connect/protocol";
import { createBinaryCodec } from "../server/codec/binary.js";
import { createJsonDecoder } from "../server/codec/json-read.js";
import { createJsonBytesEncoder } from "../server/codec/json-write.js";

/** Options of a transport that say how messages are read and written. */
export type CodecOptions = Pick<CommonTransportOptions, "binaryOptions" | "jsonOptions" | "useBinaryFormat"> & {
  /** Whether code may be made of message types. Default true. */
  readonly codeGeneration?: boolean;
};

export interface MethodCodec {
  /**
   * Writes a request after `reserve` bytes that are the caller's to fill.
   *
   * @throws ConnectError `internal` if a value does not fit its type
   */
  encode(message: Message, reserve: number): Uint8Array;
  /** Reads a response. @throws ConnectError `internal` for invalid binary, `invalid_argument` for invalid JSON */
  decode(data: Uint8Array): Message;
}

export function createMethodCodec(method: DescMethod, options: CodecOptions): MethodCodec {
  return options.useBinaryFormat ? binaryCodec(method, options) : jsonCodec(method, options);
}

function binaryCodec({ input, output }: DescMethod, options: CodecOptions): MethodCodec {
  const { binaryOptions, codeGeneration: compiles = true } = options;
  const { encode } = createBinaryCodec(input, { ...binaryOptions, compiles });
  const { decode } = createBinaryCodec(output, { ...binaryOptions, compiles });
  // Bytes of a response point into the data that it was read from. A response that is kept would keep a chunk of 64 KiB.
  const keepsData = hasBytes(output);
  return {
    encode(message, reserve) {
      try {
        return encode(message, reserve);
      } catch (error) {
        throw new ConnectError(`serialize binary: ${messageOf(error)}`, Code.Internal);
      }
    },
    decode(data) {
      try {
        return decode(keepsData ? Uint8Array.from(data) : data);
      } catch (error) {
        throw new ConnectError(`parse binary: ${messageOf(error)}`, Code.Internal);
      }
    },
  };
}

function jsonCodec({ input, output }: DescMethod, options: CodecOptions): MethodCodec {
  const { jsonOptions, codeGeneration: compiles = true } = options;
  const encode = createJsonBytesEncoder(input, { ...jsonOptions, compiles });
  const ignoreUnknownFields = jsonOptions?.ignoreUnknownFields ?? true;
  const decode = createJsonDecoder(output, { ...jsonOptions, ignoreUnknownFields, compiles });
  return {
    encode(message, reserve) {
      try {
        return encode(message, reserve);
      } catch (error) {
        throw ConnectError.from(error, Code.Internal);
      }
    },
    decode(data) {
      try {
        return decode(data);
      } catch (error) {
        throw ConnectError.from(error, Code.InvalidArgument);
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a message of the type may hold bytes. Unknown fields do, too, and are rare. */
function hasBytes(desc: DescMessage, seen: Set<DescMessage> = new Set()): boolean {
  if (seen.has(desc)) return false;
  seen.add(desc);
  return desc.fields.some((field) => isBytes(field) || (field.message !== undefined && hasBytes(field.message, seen)));
}

function isBytes(field: DescField): boolean {
  return field.scalar === ScalarType.BYTES;
}
