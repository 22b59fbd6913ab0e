// What became of a call, as tests compare it.
import { ConnectError } from "@connectrpc/connect";

/** The error that a call ends with. Throws if it ends well, or with anything that is no ConnectError. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const outcome = await call.then(
    (value) => new Error(`expected an error, found ${JSON.stringify(value, (_, one) => String(one))}`),
    (reason: unknown) => reason,
  );
  if (outcome instanceof ConnectError) return outcome;
  throw outcome;
}

/** All values of an iterable. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** An iterable of the values. */
export async function* each<T>(...values: T[]): AsyncGenerator<T> {
  yield* values;
}
