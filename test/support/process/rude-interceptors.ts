// Interceptors that do what no interceptor should, by name.
import { setTimeout as delay } from "node:timers/promises";
import type { Interceptor } from "@connectrpc/connect";

type Next = Parameters<Interceptor>[0];
type Request = Parameters<Next>[0];
type Response = Awaited<ReturnType<Next>>;

/** Returns something else instead of the response. */
const instead = (value: unknown) => () => async () => value;

/** Returns properties of the response replaced. */
const spoilt = (properties: Record<string, unknown>) => (next: Next) => async (request: Request) =>
  ({ ...(await next(request)), ...properties }) as Response;

export const rudeInterceptors: Readonly<Record<string, (next: Next) => (request: Request) => unknown>> = {
  "throws at once": () => () => {
    throw new Error("secret");
  },
  "throws while it wraps": () => {
    throw new Error("secret");
  },
  rejects: () => async () => {
    throw new Error("secret");
  },
  "rejects after its response": (next) => async (request) => {
    await next(request);
    await delay(5);
    throw new Error("secret");
  },
  "never settles": () => () => new Promise(() => {}),
  "returns undefined": instead(undefined),
  "returns an empty object": instead({}),
  "returns a response without a message": spoilt({ message: undefined }),
  "returns a response with a message that is none": spoilt({ message: { text: 3 } }),
  "returns a response without headers": spoilt({ header: undefined }),
  "returns a response without trailers": spoilt({ trailer: undefined }),
  "returns a response with header connection": spoilt({ header: new Headers({ connection: "close" }) }),
  "returns a response with trailer connection": spoilt({ trailer: new Headers({ connection: "close" }) }),
  "calls next twice": (next) => async (request) => {
    await next(request);
    return next(request);
  },
  "calls next without waiting": (next) => async (request) => {
    void next(request).catch(() => {});
    throw new Error("secret");
  },
  "takes the message away": (next) => (request) => next({ ...request, message: undefined } as never),
  "takes the signal away": (next) => (request) => next({ ...request, signal: undefined } as never),
  "takes the headers away": (next) => (request) => next({ ...request, header: undefined } as never),
};
