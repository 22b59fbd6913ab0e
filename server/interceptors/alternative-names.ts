// Reads the alternative names of a certificate (RFC 5280 section 4.2.1.6).
import { X509Certificate } from "node:crypto";

/** Names of the kinds that clients are known by. */
export interface AlternativeNames {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly emails: readonly string[];
}

/** Node's names of these kinds: https://nodejs.org/api/crypto.html#x509subjectaltname */
const kinds: Readonly<Record<keyof AlternativeNames, string>> = { uris: "URI", dns: "DNS", emails: "email" };

/**
 * One name as Node writes it, and what separates it from the next. A value with a comma, a quote, a backslash or a control
 * character is a JSON string (CVE-2021-44532), so that no part of it looks like another name.
 */
const entry = /([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^",'\\]*))(?:, |$)/y;

/** @param raw the certificate, DER */
export function readAlternativeNames(raw: Uint8Array): AlternativeNames {
  const entries = parseAlternativeNames(new X509Certificate(raw).subjectAltName ?? "");
  const namesOf = (kind: string) => entries.flatMap(([name, value]) => (name === kind ? [value] : []));
  return { uris: namesOf(kinds.uris), dns: namesOf(kinds.dns), emails: namesOf(kinds.emails) };
}

/** Returns kinds and values. A text that is not as Node writes it has none. */
export function parseAlternativeNames(text: string): [kind: string, value: string][] {
  const entries: [kind: string, value: string][] = [];
  entry.lastIndex = 0;
  while (entry.lastIndex < text.length) {
    const [, kind, quoted, plain = ""] = entry.exec(text) ?? [];
    const value = quoted === undefined ? plain : parseQuoted(quoted);
    if (kind === undefined || value === undefined) return [];
    entries.push([kind, value]);
  }
  return entries;
}

function parseQuoted(text: string): string | undefined {
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}
