// Reads and writes the messages of one method, as Connect does: limits and error texts are Connect's own.
import type { Message } from "@bufbuild/protobuf";
import { createMethodSerializationLookup, type Serialization } from "@connectrpc/connect/protocol";
import type { Method } from "../call/method.js";
import type { Codec } from "./format.js";

/** The two directions of one codec. */
export interface MessageCodec {
  /** @throws ConnectError of a message that is too large or no message */
  readonly input: Serialization<Message>;
  /** @throws ConnectError of a message that is too large or cannot be written */
  readonly output: Serialization<Message>;
}

/** The codecs of a method, by name. */
export function createCodecs({ spec, options }: Method): Record<Codec, MessageCodec> {
  const { binaryOptions, jsonOptions } = options;
  const lookup = createMethodSerializationLookup(spec.method, binaryOptions, jsonOptions, options);
  const codec = (isBinary: boolean): MessageCodec => ({ input: lookup.getI(isBinary), output: lookup.getO(isBinary) });
  return { proto: codec(true), json: codec(false) };
}
