// The forms of a stream of replies over plain HTTP: a JSON array, lines of JSON, or server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import type { StreamForm } from "./head.js";

/** How a stream is written. A reply is JSON on one line. */
export interface StreamWriter {
  readonly headers: OutgoingHttpHeaders;
  /** Whether comments may be sent between replies to keep an idle connection open. */
  readonly isKeptAlive: boolean;
  /** One reply. */
  reply(text: string): string;
  /** The end of the stream, with its error if there is one. Undefined for a form without an end. */
  readonly end: ((error: JsonValue | undefined) => string) | undefined;
}

const writers: Record<StreamForm, () => StreamWriter> = {
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
      end: (error) => {
        const last = error === undefined ? "" : element(printError(error));
        return isFirst ? "[]" : `${last}]`;
      },
    };
  },
  lines: () => ({
    headers: { "content-type": "application/x-ndjson" },
    isKeptAlive: false,
    reply: (text) => `${text}\n`,
    end: (error) => (error === undefined ? "" : `${printError(error)}\n`),
  }),
  events: () => ({
    // Tells proxies not to buffer events.
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no" },
    isKeptAlive: true,
    reply: (text) => `data: ${text}\n\n`,
    end: (error) => (error === undefined ? lastEvent("end", {}) : lastEvent("error", error)),
  }),
  /** The data of google.api.HttpBody, one after the other. */
  bytes: () => ({ headers: {}, isKeptAlive: false, reply: (text) => text, end: undefined }),
};

/** A writer for one stream. */
export function createStreamWriter(form: StreamForm): StreamWriter {
  return writers[form]();
}

/** An error among replies has a name, which the shape of Google's own APIs brings along (https://google.aip.dev/193). */
function printError(error: JsonValue): string {
  const isNamed = typeof error === "object" && error !== null && "error" in error;
  return JSON.stringify(isNamed ? error : { error });
}

/** The id of the last event of a stream. A browser repeats it as `Last-Event-ID` when it reconnects. */
const lastEventId = "end-of-stream";

function lastEvent(name: string, data: JsonValue): string {
  return `event: ${name}\nid: ${lastEventId}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * Whether a client that reconnects has had the whole stream. `EventSource` reconnects whenever a response ends, and stops
 * if it gets 204 (https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface).
 */
export function isAfterEnd(form: StreamForm, { "last-event-id": id }: IncomingHttpHeaders): boolean {
  return form === "events" && id === lastEventId;
}

/** A comment that keeps an idle connection open. */
export const keepAliveComment = ": keep-alive\n\n";
