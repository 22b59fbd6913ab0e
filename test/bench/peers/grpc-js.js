// `@grpc/grpc-js`, set up as its documentation shows: with `@grpc/proto-loader`, and for real messages with the functions of
// protobufjs that its static code has, which are faster. protobuf-es as its codec is no faster.
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { includeDirs, loadProtobufjs } from "../schema.js";
import { tls } from "./tls.js";

/** @type {import("../server.js").Listen} */
export async function grpcJs({ isTls, hasInterceptors }) {
  /** @type {any} */
  const packages = grpc.loadPackageDefinition(loadSync(["hello_world.proto", "bench.proto"], { includeDirs }));
  const server = new grpc.Server(hasInterceptors ? { interceptors: [authorize, identify] } : {});
  server.addService(packages.hello_world.Greeter.service, greeter);
  const { service } = packages.manywire.bench.v1.BenchService;
  server.addService({ ...service, EchoShelf: withStaticCode(service.EchoShelf) }, bench);
  const credentials = isTls
    ? grpc.ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }])
    : grpc.ServerCredentials.createInsecure();
  return promisify(server.bindAsync.bind(server))("127.0.0.1:0", credentials);
}

/** @param {grpc.MethodDefinition<object, object>} method @returns {grpc.MethodDefinition<object, object>} */
function withStaticCode(method) {
  const Shelf = loadProtobufjs().lookupType("manywire.test.codec.v1.Shelf");
  return {
    ...method,
    requestDeserialize: (bytes) => Shelf.decode(bytes),
    responseSerialize: (shelf) => /** @type {Buffer} */ (Shelf.encode(shelf).finish()),
  };
}

/** @type {Record<string, grpc.UntypedHandleCall>} */
const greeter = {
  SayHello: (/** @type {any} */ { request }, /** @type {any} */ answer) =>
    answer(null, { message: `Hello, ${request.name}!` }),
  SayHelloAgain: (/** @type {any} */ { request }, /** @type {any} */ answer) =>
    answer(null, { message: `Hello, ${request.name} Again!` }),
};

/** @type {Record<string, grpc.UntypedHandleCall>} */
const bench = {
  Echo: (/** @type {any} */ { request }, /** @type {any} */ answer) => answer(null, { data: request.data }),
  EchoShelf: (/** @type {any} */ { request }, /** @type {any} */ answer) => answer(null, request),
  Download(/** @type {any} */ call) {
    for (let index = 1; index <= call.request.number; index++) call.write({ text: "a small message", index });
    call.end();
  },
  Upload(/** @type {any} */ call, /** @type {any} */ answer) {
    let number = 0;
    call.on("data", () => number++);
    call.on("end", () => answer(null, { number }));
  },
  PingPong(/** @type {any} */ call) {
    call.on("data", (/** @type {any} */ { text, index }) => call.write({ text, index }));
    call.on("end", () => call.end());
  },
};

/** Lets in who has the token. @type {grpc.ServerInterceptor} */
const authorize = (_, call) =>
  new grpc.ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata(metadata, pass) {
          if (metadata.get("authorization")[0] === "Bearer bench") pass(metadata);
          else call.sendStatus({ code: grpc.status.UNAUTHENTICATED, details: "expected the token of the benchmark" });
        },
      }),
  });

/** Gives the request's id back. @type {grpc.ServerInterceptor} */
const identify = (_, call) => {
  /** @type {grpc.MetadataValue} */
  let id = "none";
  return new grpc.ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata(metadata, pass) {
          id = metadata.get("x-request-id")[0] ?? id;
          pass(metadata);
        },
      }),
    sendMetadata(metadata, pass) {
      metadata.set("x-request-id", id);
      pass(metadata);
    },
  });
};
