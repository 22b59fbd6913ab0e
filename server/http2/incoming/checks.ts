// Rules for frames that are the same for several types.
import { ConnectionError, ErrorCode } from "../errors.js";
import type { FrameReader } from "../frame/frame-reader.js";
import { maxStreamId } from "../frame/frame-types.js";

/** @throws ConnectionError if the frame has another length, as all of these */
export function checkLength({ length }: FrameReader, name: string, expected: number): void {
  if (length === expected) return;
  throw new ConnectionError(ErrorCode.frameSizeError, `${name}: expected ${expected} bytes, found ${length}`);
}

export function checkStreamZero({ streamId }: FrameReader, name: string): void {
  if (streamId !== 0) throw new ConnectionError(ErrorCode.protocolError, `${name}: on stream ${streamId}`);
}

/** Checks the priority that a frame begins with. The rest of priorities is not read. This is RFC 7540 §5.3.1. */
export function checkDependency(frame: FrameReader): void {
  if ((frame.readUint32(0) & maxStreamId) !== frame.streamId) return;
  throw new ConnectionError(ErrorCode.protocolError, `stream ${frame.streamId}: depends on itself`);
}
