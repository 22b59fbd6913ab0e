// Reads the body of a response, chunk by chunk, into messages and the result of the call. A body is one message, lines
// of JSON, or envelopes.
import { FrameReader } from "./frames.js";
import { httpVerdict, type Verdict } from "./verdicts.js";

/** Reads the body of a response, chunk by chunk. */
export interface BodyReader {
  push(chunk: Uint8Array): void;
  /** Called at the end of the body. */
  end(): Verdict;
}

/** Called with each message as text. */
export type OnMessage = (text: string) => void;

/** The type of a response; empty if it has none. */
export function contentTypeOf(response: Response): string {
  return response.headers.get("content-type") ?? "";
}

/** A body that is one message, or binary. */
export function readWhole(response: Response, onMessage: OnMessage): BodyReader {
  const type = contentTypeOf(response);
  const isText = type === "" || /json|^text\/|xml|javascript/.test(type);
  const decoder = new TextDecoder();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let text = "";
  return {
    push(chunk) {
      if (isText) text += decoder.decode(chunk, { stream: true });
      else chunks.push(Uint8Array.from(chunk));
    },
    end() {
      if (!response.ok) return httpVerdict(response, text);
      const file = isText ? undefined : new Blob(chunks, { type });
      onMessage(file === undefined ? text : `${file.size} bytes of ${type}`);
      return { ...httpVerdict(response, ""), file };
    },
  };
}

/** Lines of JSON. A line with `error` alone ends a stream that fails after it has begun. */
export function readLines(response: Response, onMessage: OnMessage): BodyReader {
  const decoder = new TextDecoder();
  let rest = "";
  let failure: string | undefined;
  const take = (line: string) => {
    if (/^\{"error":\{/.test(line)) failure = line;
    else if (line !== "") onMessage(line);
  };
  return {
    push(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    },
    end() {
      take(rest);
      if (failure === undefined) return httpVerdict(response, "");
      return { ...httpVerdict(response, failure), isOk: false };
    },
  };
}

/** @param judge called with the last envelope, which has the status; undefined if it is missing */
export function readFrames(onMessage: OnMessage, judge: (end: string | undefined) => Verdict): BodyReader {
  const reader = new FrameReader();
  let end: string | undefined;
  return {
    push(chunk) {
      for (const { flags, text } of reader.push(chunk)) {
        if (flags === 0) onMessage(text);
        else end = text;
      }
    },
    end: () => judge(end),
  };
}
