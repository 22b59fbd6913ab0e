// The target of a request in its parts, as the server has them.

/** Splits a target at its first "?". */
export function splitTarget(target: string): { readonly path: string; readonly query: string | undefined } {
  const [path = "", ...rest] = target.split("?");
  return { path, query: rest.length === 0 ? undefined : rest.join("?") };
}
