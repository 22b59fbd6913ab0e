// Context values of a call, as Connect's `createContextValues` makes them, without three functions for each call.
import type { ContextKey, ContextValues } from "@connectrpc/connect";

/** Values by key. A key that is not set has its default. */
export class CallValues implements ContextValues {
  [id: symbol]: unknown;

  get<T>(key: ContextKey<T>): T {
    return key.id in this ? (this[key.id] as T) : key.defaultValue;
  }

  set<T>(key: ContextKey<T>, value: T): this {
    this[key.id] = value;
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    delete this[key.id];
    return this;
  }
}
