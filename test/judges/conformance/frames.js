// Reads and writes the suite's framing on stdin and stdout: each message after its length in four bytes, big-endian.
// docs/testing_servers.md, "Starting your server", of connectrpc.com/conformance v1.0.5.

/**
 * @param {AsyncIterable<Buffer>} stream
 * @returns {AsyncGenerator<Buffer>} the content of each frame
 */
export async function* readFrames(stream) {
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE()) {
      const end = 4 + pending.readUInt32BE();
      yield pending.subarray(4, end);
      pending = pending.subarray(end);
    }
  }
  if (pending.length > 0) {
    throw new Error(`standard input: expected a whole frame, found the first ${pending.length} bytes of one`);
  }
}

/**
 * @param {Uint8Array} content
 * @returns {Buffer} the content as a frame
 */
export function formatFrame(content) {
  const frame = Buffer.alloc(4 + content.length);
  frame.writeUInt32BE(content.length);
  frame.set(content, 4);
  return frame;
}
