// One attempt of a call: its request, and its response.
import { Code, ConnectError, type StreamRequest, type StreamResponse, type UnaryRequest } from "@connectrpc/connect";
import { updateTimeout } from "../timeout.js";

/** One attempt of a call. */
export interface Attempt {
  /** How many there were before. */
  readonly previous: number;
  /** What is left of the call's time, in milliseconds. Undefined: no deadline. */
  readonly timeoutMs: number | undefined;
  /** Makes it the last one, however it ends. */
  readonly commit: () => void;
}

/** Has the number of attempts before, in requests and in what the caller gets. */
const attemptsHeader = "grpc-previous-rpc-attempts";

/** Sets the number of attempts before, unless there was none. */
export function tellAttempts(header: Headers, previous: number): void {
  if (previous > 0) header.set(attemptsHeader, String(previous));
}

/** Returns the headers of an attempt: those of the first one as they are. */
function headerOf(header: Headers, { previous, timeoutMs }: Attempt): Headers {
  if (previous === 0) return header;
  const repeated = new Headers(header);
  tellAttempts(repeated, previous);
  if (timeoutMs !== undefined) updateTimeout(repeated, timeoutMs);
  return repeated;
}

/** Makes an attempt whose signal also fires when it has failed, so that nothing is left of it. */
export async function sendAttempt<Request extends UnaryRequest | StreamRequest, Response>(
  request: Request,
  attempt: Attempt,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { signal } = request;
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await send({ ...request, header: headerOf(request.header, attempt), signal: controller.signal });
  } catch (error) {
    signal.removeEventListener("abort", onAbort);
    controller.abort(error);
    throw error;
  }
}

/** Waits for the first message, or the end. @throws the error that comes in place of it */
export async function awaitMessage(response: StreamResponse, signal: AbortSignal): Promise<StreamResponse> {
  const messages = response.message[Symbol.asyncIterator]();
  const first = await messages.next();
  let isFirst = true;
  return withMessages(response, async () => {
    if (!isFirst) return messages.next();
    isFirst = false;
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    return first;
  });
}

/** Calls back when the last message has been read. */
export function watchEnd(response: StreamResponse, onEnd: () => void): StreamResponse {
  const messages = response.message[Symbol.asyncIterator]();
  return withMessages(response, async () => {
    const result = await messages.next();
    if (result.done === true) onEnd();
    return result;
  });
}

function withMessages(response: StreamResponse, next: AsyncIterator<StreamMessage>["next"]): StreamResponse {
  return { ...response, message: { [Symbol.asyncIterator]: () => ({ next }) } };
}

type StreamMessage = StreamResponse["message"] extends AsyncIterable<infer Message> ? Message : never;
