// Interceptors that are for some methods only, and that prepare for them.
import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Method } from "./method.js";

/**
 * An interceptor that says which methods it is for. Calls of other methods do not pass through it: the messages of forwarded
 * ones then need not be decoded.
 */
export interface MethodInterceptor extends Interceptor {
  /** Whether it is for a method. Called when the method is registered; again for its new descriptor after a reload. */
  readonly appliesTo?: (method: DescMethod) => boolean;
  /** Prepares for calls of a method that it is for, before there are any. Throws an Error if calls would fail. */
  readonly prepare?: (method: DescMethod) => void;
  /** Returns a sentence for each of its rules that is for none of the methods, such as a misspelt one. */
  readonly listUnmatched?: (methods: readonly DescMethod[]) => readonly string[];
}

/** Returns the interceptors that are for a method. */
export function interceptorsFor(method: DescMethod, interceptors: readonly MethodInterceptor[]): Interceptor[] {
  return interceptors.filter(({ appliesTo }) => appliesTo?.(method) !== false);
}

/** Returns a sentence for each rule of the interceptors that is for none of the methods. */
export function listUnmatched(
  interceptors: readonly MethodInterceptor[],
  methods: Iterable<Method>,
): readonly string[] {
  const all = [...methods].map(({ spec }) => spec.method);
  return interceptors.flatMap((interceptor) => interceptor.listUnmatched?.(all) ?? []);
}

/** Prepares the interceptors of all methods. Returns what they throw, a line for each fault, without repetitions. */
export function prepareInterceptors(methods: Iterable<Method>): readonly string[] {
  const faults = new Set<string>();
  for (const { spec, interceptors } of methods) {
    for (const { prepare } of interceptors as readonly MethodInterceptor[]) {
      try {
        prepare?.(spec.method);
      } catch (reason) {
        faults.add(reason instanceof Error ? reason.message : String(reason));
      }
    }
  }
  return [...faults];
}
