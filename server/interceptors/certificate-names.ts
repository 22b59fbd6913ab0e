// The names of clients that rules of `mtls` allow.
import { quote } from "../quote.js";
import type { AlternativeNames } from "./alternative-names.js";

/** Names of clients, of which a certificate has to have one. */
export interface ClientNames {
  /**
   * URIs, such as SPIFFE ids, as they are in the certificate. `spiffe://prod.test/ns/shop/*` is all below a path.
   */
  readonly uris?: readonly string[] | undefined;
  /** DNS names. `*.prod.test` is all with one label more. */
  readonly dns?: readonly string[] | undefined;
  /** Email addresses. */
  readonly emails?: readonly string[] | undefined;
}

type Matches = (name: string) => boolean;

/** Finds the name of a certificate that is allowed; undefined if none is. */
export type FindName = (names: AlternativeNames) => string | undefined;

const label = "[a-z\\d_-]+";
const forms = {
  uris: {
    pattern: /^(?!.*:\/\/\*)[a-z][a-z\d+.-]*:[!#-)+-~]+(?:\/\*)?$/i,
    expected: "a URI such as spiffe://prod.test/orders",
  },
  dns: {
    pattern: new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`, "i"),
    expected: "a name such as orders.prod.test",
  },
  emails: { pattern: /^[!-)+-~]+@[!-)+-~]+$/, expected: "an address such as alice@prod.test" },
};
const makers: Readonly<Record<keyof ClientNames, (pattern: string) => Matches>> = {
  uris: matchUri,
  dns: matchDns,
  emails: matchEmail,
};
const fields = ["uris", "dns", "emails"] as const;

/**
 * Any name is allowed if no kind is given.
 *
 * @param place of the rule, for errors: `mtls: rules[0]`
 * @throws TypeError that names a wrong name
 */
export function compileNames(place: string, allowed: ClientNames): FindName {
  const given = fields.filter((field) => allowed[field] !== undefined);
  if (given.length === 0) return ({ uris, dns, emails }) => [...uris, ...dns, ...emails][0] ?? "";
  const finders = given.map((field) => {
    const matchers = compileField(`${place}.${field}`, field, allowed[field]);
    return (names: AlternativeNames) => names[field].find((name) => matchers.some((matches) => matches(name)));
  });
  return (names) => finders.map((find) => find(names)).find((name) => name !== undefined);
}

function compileField(place: string, field: keyof ClientNames, patterns: unknown): readonly Matches[] {
  const { pattern, expected } = forms[field];
  if (!Array.isArray(patterns) || patterns.length === 0)
    throw new TypeError(`${place}: expected an array with ${expected}`);
  return patterns.map((text: unknown) => {
    if (typeof text === "string" && pattern.test(text)) return makers[field](text);
    throw new TypeError(`${place}: expected ${expected}, found ${quote(String(text))}`);
  });
}

function matchUri(pattern: string): Matches {
  if (!pattern.endsWith("/*")) return (uri) => uri === pattern;
  const start = pattern.slice(0, -1);
  // Without "." and "..", and without escapes, queries or fragments, which may stand for another path.
  const isBelow = /^(?!\.{1,2}(?:\/|$))[\w\-.~!$&()+;=:@]+(?:\/(?!\.{1,2}(?:\/|$))[\w\-.~!$&()+;=:@]+)*$/;
  return (uri) => uri.startsWith(start) && isBelow.test(uri.slice(start.length));
}

function matchDns(pattern: string): Matches {
  const wanted = pattern.toLowerCase();
  if (!wanted.startsWith("*.")) return (name) => name.toLowerCase() === wanted;
  const isLabel = new RegExp(`^${label}$`);
  return (name) => {
    const dot = name.indexOf(".");
    return name.slice(dot).toLowerCase() === wanted.slice(1) && isLabel.test(name.slice(0, dot).toLowerCase());
  };
}

/** The part before the "@" is case-sensitive (RFC 5280 section 7.5). */
function matchEmail(pattern: string): Matches {
  const normalize = (address: string) => address.replace(/@[^@]*$/, (domain) => domain.toLowerCase());
  const wanted = normalize(pattern);
  return (address) => normalize(address) === wanted;
}
