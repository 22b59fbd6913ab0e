// What is known of a method before it is called: how its messages are read and written, and what all requests have.
import type { DescField, DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CommonTransportOptions, Compression } from "@connectrpc/connect/protocol";
import { createBinaryCodec } from "../../server/codec/binary.js";
import type { PreparedFields } from "../../server/http2/hpack/encoder.js";
import { envelopeHeadBytes, writeEnvelopeHead } from "./envelopes.js";

/** How messages are written. */
export type GrpcMethodOptions = Pick<
  CommonTransportOptions,
  "binaryOptions" | "compressMinBytes" | "sendCompression" | "writeMaxBytes"
> & {
  /** Whether code may be made of message types. Default true. */
  readonly codeGeneration?: boolean;
};

export class GrpcMethod {
  readonly desc: DescMethod;
  /** Fields of a request, pseudo-header fields included. */
  readonly fields: PreparedFields;
  readonly #options: GrpcMethodOptions;
  readonly #input: ReturnType<typeof createBinaryCodec>;
  readonly #output: ReturnType<typeof createBinaryCodec>;
  /** Whether replies point into the bytes that they are made of. */
  readonly #keepsBytes: boolean;

  constructor(desc: DescMethod, options: GrpcMethodOptions, fields: PreparedFields) {
    this.desc = desc;
    this.fields = fields;
    this.#options = options;
    const { binaryOptions, codeGeneration: compiles = true } = options;
    this.#input = createBinaryCodec(desc.input, { ...binaryOptions, compiles });
    this.#output = createBinaryCodec(desc.output, { ...binaryOptions, compiles });
    this.#keepsBytes = hasBytes(desc.output);
  }

  /**
   * Returns a message as it is sent, in its envelope: at once, unless it has to be compressed.
   *
   * @throws ConnectError `internal` if it cannot be written, `resource_exhausted` if it is too large
   */
  encode(message: Message): Uint8Array | Promise<Uint8Array> {
    const bytes = this.#write(message);
    const length = bytes.length - envelopeHeadBytes;
    const { writeMaxBytes, sendCompression, compressMinBytes } = this.#options;
    if (length > writeMaxBytes) {
      const text = `message size ${length} is larger than configured writeMaxBytes ${writeMaxBytes}`;
      throw new ConnectError(text, Code.ResourceExhausted);
    }
    if (sendCompression !== null && length >= compressMinBytes) return compress(bytes, sendCompression);
    writeEnvelopeHead(bytes, false);
    return bytes;
  }

  /** @throws ConnectError `internal` if it is not a message of the type */
  decode(data: Uint8Array): Message {
    try {
      // Else a reply that is kept would keep a chunk of 64 KiB.
      return this.#output.decode(this.#keepsBytes ? Uint8Array.from(data) : data);
    } catch (error) {
      throw new ConnectError(`parse binary: ${messageOf(error)}`, Code.Internal);
    }
  }

  #write(message: Message): Uint8Array {
    try {
      return this.#input.encode(message, envelopeHeadBytes);
    } catch (error) {
      throw new ConnectError(`serialize binary: ${messageOf(error)}`, Code.Internal);
    }
  }
}

async function compress(bytes: Uint8Array, { compress }: Compression): Promise<Uint8Array> {
  const data = await compress(bytes.subarray(envelopeHeadBytes));
  const compressed = new Uint8Array(envelopeHeadBytes + data.length);
  compressed.set(data, envelopeHeadBytes);
  writeEnvelopeHead(compressed, true);
  return compressed;
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
