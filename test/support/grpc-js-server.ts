// A server of grpc-js with methods of the test service, for clients of ours and of grpc-js.
import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";

/** By the name of a method in code. */
export type GrpcJsHandlers = Record<string, grpc.UntypedHandleCall>;

/** Starts a server, which ends with the test. Returns its authority, `127.0.0.1:port`. */
export async function startGrpcJsServer(handlers: GrpcJsHandlers): Promise<string> {
  const server = new grpc.Server();
  const definition = Object.fromEntries(
    TestService.methods.map((method) => [
      method.localName,
      {
        path: `/${TestService.typeName}/${method.name}`,
        requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
        responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        requestSerialize: (message: Message) => Buffer.from(toBinary(method.input, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(method.input, bytes),
        responseSerialize: (message: Message) => Buffer.from(toBinary(method.output, message)),
        responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
      },
    ]),
  );
  server.addService(definition, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}
