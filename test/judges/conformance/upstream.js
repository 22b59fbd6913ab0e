// Starts one of the suite's own servers, for a proxy to stand before: gRPC in plaintext over HTTP/2.
import { spawn } from "node:child_process";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HTTPVersion, Protocol } from "../../../.cache/conformance/gen/connectrpc/conformance/v1/config_pb.js";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/server_compat_pb.js";
import { formatFrame, readFrames } from "./frames.js";

/**
 * Resolves with its address, `127.0.0.1:1234`. It ends with this process.
 *
 * @param {string} program
 * @param {number} messageReceiveLimit in bytes
 */
export async function startSuiteServer(program, messageReceiveLimit) {
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const request = create(ServerCompatRequestSchema, {
    protocol: Protocol.GRPC,
    httpVersion: HTTPVersion.HTTP_VERSION_2,
    messageReceiveLimit,
  });
  child.stdin.write(formatFrame(toBinary(ServerCompatRequestSchema, request)));
  const { value: frame } = await readFrames(child.stdout).next();
  if (frame === undefined) throw new Error(`${program}: expected an address, found the end of its output`);
  const { host, port } = fromBinary(ServerCompatResponseSchema, frame);
  return `${host}:${port}`;
}
