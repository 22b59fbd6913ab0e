// Puts several ways of authentication beside each other: one of them is enough.
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { MethodInterceptor } from "../call/method-interceptor.js";
import { isMissing } from "./refusal.js";

/**
 * Lets in calls that one of the interceptors lets in, such as `anyOf(await jwt({ … }), apiKeys({ … }))`. They are tried in this
 * order, as long as they end calls with `unauthenticated`. A method that is public for one of them is public.
 *
 * @throws TypeError without interceptors
 */
export function anyOf(...interceptors: readonly MethodInterceptor[]): MethodInterceptor {
  if (interceptors.length === 0) throw new TypeError("anyOf: expected interceptors, found none");
  const interceptor: Interceptor = (next) => async (request) => {
    const refusals: ConnectError[] = [];
    for (const each of interceptors) {
      let isIn = false;
      const enter: typeof next = (entering) => {
        isIn = true;
        return next(entering);
      };
      try {
        return await each(enter)(request);
      } catch (error) {
        const isRefused = !isIn && error instanceof ConnectError && error.code === Code.Unauthenticated;
        if (!isRefused) throw error;
        refusals.push(error);
      }
    }
    throw merge(refusals);
  };
  const appliesTo = (method: DescMethod) => interceptors.every((each) => each.appliesTo?.(method) !== false);
  const listUnmatched = (methods: readonly DescMethod[]) =>
    interceptors.flatMap((each) => each.listUnmatched?.(methods) ?? []);
  return Object.assign(interceptor, { appliesTo, listUnmatched });
}

/** The error about credentials that were sent, if any were, with the challenges of all. */
function merge(refusals: readonly ConnectError[]): ConnectError {
  const main = refusals.find((error) => !isMissing(error)) ?? refusals[0];
  const challenges = refusals.flatMap(({ metadata }) => metadata.get("www-authenticate") ?? []);
  const metadata = challenges.length === 0 ? {} : { "www-authenticate": challenges.join(", ") };
  return new ConnectError(main?.rawMessage ?? "", Code.Unauthenticated, metadata, undefined, main?.cause);
}
