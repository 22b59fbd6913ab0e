// The services as an application of Connect writes them: for every peer that takes Connect's routes.
import { Code, ConnectError } from "@connectrpc/connect";

/** @typedef {import("@connectrpc/connect").Interceptor} Interceptor */

/** @param {import("../schema.js").Schema} schema */
export function createRoutes({ Greeter, BenchService }) {
  /** @param {import("@connectrpc/connect").ConnectRouter} router */
  return (router) => {
    router.service(Greeter, greeter);
    router.service(BenchService, bench);
  };
}

// The descriptors are found at run time, so the types of their messages are not known here.

/** @type {any} */
const greeter = {
  sayHello: (/** @type {any} */ { name }) => ({ message: `Hello, ${name}!` }),
  sayHelloAgain: (/** @type {any} */ { name }) => ({ message: `Hello, ${name} Again!` }),
};

/** @type {any} */
const bench = {
  echo: (/** @type {any} */ { data }) => ({ data }),
  echoShelf: (/** @type {any} */ shelf) => shelf,
  async *download(/** @type {any} */ { number }) {
    for (let index = 1; index <= number; index++) yield { text: "a small message", index };
  },
  async upload(/** @type {any} */ notes) {
    let number = 0;
    for await (const _ of notes) number++;
    return { number };
  },
  async *pingPong(/** @type {any} */ notes) {
    for await (const { text, index } of notes) yield { text, index };
  },
};

/** Lets in who has the token. @type {Interceptor} */
const authorize = (next) => (request) => {
  if (request.header.get("authorization") !== "Bearer bench") {
    throw new ConnectError("expected the token of the benchmark", Code.Unauthenticated);
  }
  return next(request);
};

/** Gives the request's id back. @type {Interceptor} */
const identify = (next) => async (request) => {
  const response = await next(request);
  response.header.set("x-request-id", request.header.get("x-request-id") ?? "none");
  return response;
};

/** @type {Interceptor[]} */
export const interceptors = [authorize, identify];
