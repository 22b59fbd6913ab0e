// The forms of a stream of replies over plain HTTP: a JSON array, lines of JSON, or server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
import type { OutgoingHttpHeaders } from "node:http";
import type { StreamForm } from "./head.js";

/** How a stream is written. Texts are JSON on one line. */
export interface StreamWriter {
  readonly headers: OutgoingHttpHeaders;
  /** Whether comments may stand between replies, so that a silent connection is not taken for a dead one. */
  readonly isKeptAlive: boolean;
  /** One reply. */
  reply(text: string): string;
  /** The end of the stream, with the error that it ends with. Undefined where there is no place for either. */
  readonly end: ((errorText: string | undefined) => string) | undefined;
}

const writers: Record<StreamForm | "bytes", () => StreamWriter> = {
  /** Google's REST clients read exactly this. */
  array: () => {
    let isFirst = true;
    const element = (text: string) => {
      const separated = isFirst ? `[${text}` : `,${text}`;
      isFirst = false;
      return separated;
    };
    return {
      headers: { "content-type": "application/json" },
      isKeptAlive: false,
      reply: element,
      end: (errorText) => {
        const error = errorText === undefined ? "" : element(`{"error":${errorText}}`);
        return isFirst ? "[]" : `${error}]`;
      },
    };
  },
  lines: () => ({
    headers: { "content-type": "application/x-ndjson" },
    isKeptAlive: false,
    reply: (text) => `${text}\n`,
    end: (errorText) => (errorText === undefined ? "" : `{"error":${errorText}}\n`),
  }),
  events: () => ({
    // Proxies that buffer would keep events back.
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no" },
    isKeptAlive: true,
    reply: (text) => `data: ${text}\n\n`,
    end: (errorText) => (errorText === undefined ? "" : `event: error\ndata: ${errorText}\n\n`),
  }),
  /** The data of google.api.HttpBody, one after the other. */
  bytes: () => ({ headers: {}, isKeptAlive: false, reply: (text) => text, end: undefined }),
};

/** A writer for one stream. */
export function createStreamWriter(form: StreamForm | "bytes"): StreamWriter {
  return writers[form]();
}

/** What keeps a connection without events open: a comment. */
export const keepAliveComment = ": keep-alive\n\n";
