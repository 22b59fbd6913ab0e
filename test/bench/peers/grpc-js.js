// `@grpc/grpc-js` with `@grpc/proto-loader`, set up as its documentation shows. protobuf-es as its codec is no faster.
import { join } from "node:path";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { root } from "../schema.js";
import { tls } from "./tls.js";

const includeDirs = ["proto", "test/bench", "node_modules/google-gax/build/protos"].map((folder) => join(root, folder));

/** @type {import("../server.js").Listen} */
export async function grpcJs({ isTls, hasInterceptors }) {
  /** @type {any} */
  const packages = grpc.loadPackageDefinition(loadSync(["hello_world.proto", "bench.proto"], { includeDirs }));
  const server = new grpc.Server(hasInterceptors ? { interceptors: [authorize, identify] } : {});
  server.addService(packages.hello_world.Greeter.service, greeter);
  server.addService(packages.manywire.bench.v1.BenchService.service, bench);
  const credentials = isTls
    ? grpc.ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }])
    : grpc.ServerCredentials.createInsecure();
  return promisify(server.bindAsync.bind(server))("127.0.0.1:0", credentials);
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
