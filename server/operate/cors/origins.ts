// Origins as settings name them: one, all of one domain, or all (RFC 6454 section 6.2).

/** Whether a pattern stands for an origin. */
type Matches = (origin: string) => boolean;

/** Completes "expected …". */
export const originForms = "origins such as https://app.example.com or https://*.example.com, or *";

const shape = /^[a-z][a-z\d+.-]*:\/\/(?:\*\.)?[^\s*/?#@\\]+$/i;

/** A label that can stand for `*` while the rest is parsed. */
const standIn = "label";

/** Returns what an origin in a setting stands for; undefined if it is invalid. `*.` stands for one label. */
export function parseOrigin(text: unknown): Matches | undefined {
  if (text === "*") return () => true;
  if (typeof text !== "string" || !shape.test(text)) return undefined;
  const concrete = text.replace("//*.", `//${standIn}.`);
  if (!URL.canParse(concrete)) return undefined;
  // Browsers send it so: in lower case, as ASCII, and without the default port.
  const { protocol, host } = new URL(concrete);
  if (concrete === text) return (origin) => origin === `${protocol}//${host}`;
  const [start, end] = [`${protocol}//`, host.slice(standIn.length)];
  return (origin) =>
    origin.startsWith(start) && origin.endsWith(end) && /^[a-z\d_-]+$/.test(origin.slice(start.length, -end.length));
}
