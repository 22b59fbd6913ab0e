// Serves the landing page as plain text, with the address that the client used. Each kind of address has a template
// that is made once, because making the text takes 0.5 s for 1,000 methods.
import { type Handler, respond } from "../http/exchange.js";
import { once } from "../slices.js";
import { escapeQuotes, quote } from "./browser/shell.js";
import { refuseMethod } from "./documents.js";

/** Stands for the host in a template. With `$` in front, the lines for a shell quote it. */
const placeholder = "host-of-the-request.invalid";

type Template = (host: string) => string;

/** @param make makes the text for a base URL; called once for each kind of address */
export function serveTextPage(make: (base: string) => Promise<string>): Handler {
  const templates = new Map<string, () => Promise<Template>>();
  const templateOf = ({ protocol, host, port }: URL): Promise<Template> => {
    const isQuoted = quote(host) !== host;
    const stand = `${isQuoted ? "$" : ""}${placeholder}${port === "" ? "" : ":1"}`;
    const base = `${protocol}//${stand}`;
    const template = templates.get(base) ?? once(async () => createTemplate(await make(base), stand, isQuoted));
    templates.set(base, template);
    return template();
  };
  return async (exchange) => {
    if (refuseMethod(exchange)) return;
    const url = new URL(`${exchange.scheme}://${exchange.authority}`);
    const template = await templateOf(url);
    if (!exchange.isClosed) respond(exchange, 200, headers, template(url.host));
  };
}

const headers = {
  "content-type": "text/plain; charset=utf-8",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
  vary: "Accept",
};

function createTemplate(text: string, stand: string, isQuoted: boolean): Template {
  const parts = text.split(stand);
  return (host) => parts.join(isQuoted ? escapeQuotes(host) : host);
}
