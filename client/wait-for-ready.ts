/** The context value that says whether a call waits for a connection. */
import { type ContextKey, createContextKey } from "@connectrpc/connect";

/**
 * Whether a call waits while no server can be reached, until its deadline; others fail with `unavailable`. Undefined, the
 * default, is what the transport's options say. In browsers and over HTTP/1.1 it has no effect.
 *
 * `client.sayHello({}, { contextValues: createContextValues().set(waitForReady, true) })`
 */
export const waitForReady: ContextKey<boolean | undefined> = /* @__PURE__ */ createContextKey<boolean | undefined>(
  undefined,
  {
    description: "waitForReady",
  },
);
