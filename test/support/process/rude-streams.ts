// Handlers of response streams that do what no handler should, by name.
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { listenRudely, unserialisable } from "./rude-unary.js";

type Rude = (context: HandlerContext) => unknown;

const reply = { text: "rude" };
const more = { done: false, value: reply };
const stepMs = 5;

/** An iterable that is made of one iterator by hand. */
function by(iterator: { next: () => unknown; return?: () => unknown }): Rude {
  return () => ({ [Symbol.asyncIterator]: () => iterator });
}

const slowly = () => delay(stepMs, more);

async function* endless() {
  for (;;) {
    yield reply;
    await delay(stepMs);
  }
}

export const rudeStreams: Readonly<Record<string, Rude>> = {
  "returns undefined": () => undefined,
  "returns an array": () => [reply],
  "returns a promise": async () => endless(),
  "has no iterator": () => ({
    [Symbol.asyncIterator]() {
      throw new Error("secret");
    },
  }),
  "throws at once": () => {
    throw new Error("secret");
  },
  "throws in its first step": async function* () {
    yield* [] as object[];
    throw new Error("secret");
  },
  "throws after a reply": async function* () {
    yield reply;
    throw new Error("secret");
  },
  "yields a number": async function* () {
    yield 5;
  },
  "yields undefined": async function* () {
    yield undefined;
  },
  "yields null": async function* () {
    yield null;
  },
  "never yields": async function* () {
    yield reply;
    await new Promise(() => {});
  },
  "yields for ever": endless,
  "yields for ever without a pause": async function* () {
    for (;;) yield reply;
  },
  "goes on after the client has left": async function* () {
    try {
      for (;;) yield await slowly();
    } finally {
      await delay(50);
      yield reply;
    }
  },
  "throws in finally": async function* () {
    try {
      yield* endless();
    } finally {
      // biome-ignore lint/correctness/noUnsafeFinally: that is the point
      throw new Error("secret");
    }
  },
  "never leaves finally": async function* () {
    try {
      yield* endless();
    } finally {
      await new Promise(() => {});
    }
  },
  "has an iterator whose next returns at once": by({ next: () => ({ done: true }) }),
  "has an iterator whose next returns nothing": by({ next: async () => undefined }),
  "has an iterator whose next throws": by({
    next() {
      throw new Error("secret");
    },
  }),
  "has an iterator whose return returns at once": by({ next: slowly, return: () => undefined }),
  "has an iterator whose return returns null": by({ next: slowly, return: () => null }),
  "has an iterator whose return throws": by({
    next: slowly,
    return() {
      throw new Error("secret");
    },
  }),
  "has an iterator whose return rejects": by({ next: slowly, return: () => Promise.reject(new Error("secret")) }),
  "has an iterator whose return never settles": by({ next: slowly, return: () => new Promise(() => {}) }),
  "has an iterator that fails and whose return throws": by({
    next: () => delay(stepMs).then(() => Promise.reject(new Error("secret"))),
    return() {
      throw new Error("secret");
    },
  }),
  "sets headers after its first reply": async function* ({ responseHeader }) {
    yield reply;
    await delay(stepMs);
    responseHeader.set("connection", "close");
    yield reply;
  },
  "sets trailer of 1 MB": async function* ({ responseTrailer }) {
    yield reply;
    responseTrailer.set("x-odd", "a".repeat(1_000_000));
  },
  "fails with details that cannot be serialised": async function* () {
    yield reply;
    throw Object.assign(new ConnectError("spoilt", Code.InvalidArgument), { details: unserialisable });
  },
  "listens to the signal and throws": async function* ({ signal }) {
    listenRudely(signal);
    yield reply;
  },
  "sets trailer connection": async function* ({ responseTrailer }) {
    yield reply;
    responseTrailer.set("connection", "close");
  },
};
