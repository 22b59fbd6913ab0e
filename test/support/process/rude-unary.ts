// Handlers of one response that do what no handler should, by name.
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";

type Rude = (context: HandlerContext) => unknown;

const never = () => new Promise(() => {});
const reply = { text: "rude" };

function throws(reason: unknown): Rude {
  return () => {
    throw reason;
  };
}

/** An error that is rude in a property, as plain JavaScript allows. */
function spoilt(properties: Record<string, unknown>): Rude {
  return throws(Object.assign(new ConnectError("spoilt", Code.InvalidArgument), properties));
}

function setsHeader(name: string, value: string): Rude {
  return ({ responseHeader }) => {
    responseHeader.set(name, value);
    return reply;
  };
}

function setsTrailer(name: string, value: string): Rude {
  return ({ responseTrailer }) => {
    responseTrailer.set(name, value);
    return reply;
  };
}

function failsWith(name: string, value: string): Rude {
  return throws(new ConnectError("with metadata", Code.InvalidArgument, { [name]: value }));
}

/** What has no bytes: a number that is not whole, a message that holds itself, and nothing at all. */
const struct = create(StructSchema);
struct.fields.self = create(ValueSchema, { kind: { case: "structValue", value: struct } });
export const unserialisable = [
  { desc: DurationSchema, value: { nanos: 1500000.5 } },
  { desc: StructSchema, value: struct },
  null,
];

/** Listens to the end of a call with listeners that throw and reject. */
export function listenRudely(signal: AbortSignal): void {
  const fail = () => {
    throw new Error("secret");
  };
  signal.addEventListener("abort", fail);
  signal.addEventListener("abort", async () => fail());
  signal.onabort = fail;
}

/** Throws whatever is done to it. */
const trap = new Proxy(
  {},
  {
    get() {
      throw new Error("trap");
    },
    getPrototypeOf() {
      throw new Error("trap");
    },
  },
);

export const rudeUnary: Readonly<Record<string, Rude>> = {
  "throws an Error": throws(new Error("secret")),
  "throws undefined": throws(undefined),
  "throws null": throws(null),
  "throws a string": throws("secret"),
  "throws what cannot be looked at": throws(trap),
  "throws a frozen ConnectError": throws(Object.freeze(new ConnectError("frozen", Code.InvalidArgument))),
  rejects: () => Promise.reject(new Error("secret")),
  "rejects with undefined": () => Promise.reject(undefined),
  "rejects late": () =>
    delay(20).then(() => {
      throw new Error("secret");
    }),
  "rejects after the deadline": () =>
    delay(500).then(() => {
      throw new Error("secret");
    }),
  "never settles": never,
  "returns undefined": () => undefined,
  "returns null": () => null,
  "returns a number": () => 3,
  "returns a string": () => "rude",
  "returns an array": () => [],
  "returns a function": () => () => reply,
  "returns a symbol": () => Symbol("rude"),
  "returns a field of the wrong type": () => ({ text: 5 }),
  "returns a number out of range": () => ({ index: -1 }),
  "returns bytes that are none": () => ({ data: "rude" }),
  "returns a lone surrogate": () => ({ text: "\ud800" }),
  "returns a getter that throws": () => ({
    get text() {
      throw new Error("secret");
    },
  }),
  "returns a thenable that throws": () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    then() {
      throw new Error("secret");
    },
  }),
  "returns a thenable that resolves at once": () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    then: (resolve: (value: unknown) => void) => resolve(reply),
  }),
  "fails with a code that is none": spoilt({ code: 99 }),
  "fails with a code that is a text": spoilt({ code: "rude" }),
  "fails with a negative code": spoilt({ code: -1 }),
  "fails with code 0": spoilt({ code: 0 }),
  "fails without metadata": spoilt({ metadata: undefined }),
  "fails without a message": spoilt({ rawMessage: undefined }),
  "fails without details": spoilt({ details: undefined }),
  "fails with details that are none": spoilt({ details: [{ nonsense: 1 }] }),
  "fails with details that cannot be serialised": spoilt({ details: unserialisable }),
  "fails with metadata of 1 MB": failsWith("x-odd", "a".repeat(1_000_000)),
  "fails with header of 1 MB": (context) => {
    context.responseHeader.set("x-odd", "a".repeat(1_000_000));
    throw new ConnectError("with a header", Code.InvalidArgument);
  },
  "listens to the signal and throws": ({ signal }) => {
    listenRudely(signal);
    return reply;
  },
  "fails with control characters": throws(new ConnectError("a\0b\r\nc\u007f", Code.InvalidArgument)),
  "fails with a lone surrogate": throws(new ConnectError("a\ud800", Code.InvalidArgument)),
  "fails with a message of 1 MB": throws(new ConnectError("a".repeat(1_000_000), Code.InvalidArgument)),
  "fails with metadata upgrade": failsWith("upgrade", "h2c"),
  "fails with metadata te": failsWith("te", "gzip"),
  "fails with metadata proxy-connection": failsWith("proxy-connection", "close"),
  "fails with metadata in Latin-1": failsWith("x-odd", "\u0080\u00ff"),
  "sets header connection": setsHeader("connection", "close"),
  "sets header keep-alive": setsHeader("keep-alive", "timeout=1"),
  "sets header transfer-encoding": setsHeader("transfer-encoding", "gzip"),
  "sets header content-length": setsHeader("content-length", "3"),
  "sets header content-encoding": setsHeader("content-encoding", "gzip"),
  "sets header grpc-encoding": setsHeader("grpc-encoding", "gzip"),
  "sets header grpc-status": setsHeader("grpc-status", "3"),
  "sets header trailer": setsHeader("trailer", "x-odd"),
  "sets header http2-settings": setsHeader("http2-settings", "x"),
  "sets header in Latin-1": setsHeader("x-odd", "\u0080\u00ff"),
  "sets header of 1 MB": setsHeader("x-odd", "a".repeat(1_000_000)),
  "sets header with a line feed": setsHeader("x-odd", "a\nb: c"),
  "sets header with a control character": setsHeader("x-odd", "\u0001"),
  "sets trailer connection": setsTrailer("connection", "close"),
  "sets trailer upgrade": setsTrailer("upgrade", "h2c"),
  "sets trailer te": setsTrailer("te", "gzip"),
  "sets trailer transfer-encoding": setsTrailer("transfer-encoding", "chunked"),
  "sets trailer content-length": setsTrailer("content-length", "3"),
  "sets trailer in Latin-1": setsTrailer("x-odd", "\u0080\u00ff"),
  "sets trailer of 1 MB": setsTrailer("x-odd", "a".repeat(1_000_000)),
  "sets headers after its response": ({ responseHeader, responseTrailer }) => {
    setTimeout(() => {
      responseHeader.set("connection", "close");
      responseTrailer.set("connection", "close");
    }, 5);
    return reply;
  },
};
