// Turns a call into the fragment of a link, and back. Headers are left out, since they hold credentials.

/** A call as it is typed. */
export interface SavedCall {
  /** `package.Service.Method`. */
  readonly method: string;
  /** The id of a protocol. */
  readonly protocol: string;
  /** The index of the route. */
  readonly route: number;
  /** Milliseconds; empty for none. */
  readonly deadline: string;
  readonly request: string;
}

/** `#package.Service.Method?protocol=rest&request=…` */
export function formatLink({ method, protocol, route, deadline, request }: SavedCall): string {
  const parameters = new URLSearchParams({ protocol });
  if (route > 0) parameters.set("route", String(route));
  if (deadline !== "") parameters.set("deadline", deadline);
  parameters.set("request", request);
  return `#${method}?${parameters}`;
}

/** What a fragment names: an element of the page, or a call too. */
export interface Link {
  readonly id: string;
  readonly call: SavedCall | undefined;
}

/** @param fragment with or without "#" */
export function parseLink(fragment: string): Link {
  const [id = "", query] = fragment.replace(/^#/, "").split(/\?(.*)/s);
  if (query === undefined) return { id, call: undefined };
  const parameters = new URLSearchParams(query);
  const text = (name: string) => parameters.get(name) ?? "";
  const route = /^\d{1,3}$/.test(text("route")) ? Number(text("route")) : 0;
  const [protocol, deadline, request] = [text("protocol"), text("deadline"), text("request")];
  return { id, call: { method: id, protocol, route, deadline, request } };
}
