// Counts calls by method, protocol and code. A call costs two look-ups and a few additions: labels are made when metrics are
// collected.
import type { Method, ProtocolName } from "../../call/method.js";
import type { FinishedCall, StartedCall } from "../../call/observer.js";

/** Codes of gRPC, by their numbers. */
const codes = 17;
const unknownCode = 2;

/** What calls of one method over one protocol have been so far. */
export interface CallCounts {
  started: number;
  /** Calls that have ended, by the number of their code; 0 is OK. */
  readonly handled: number[];
  /** Calls that have ended, by the bucket of their duration; the last is of those over every bound. */
  readonly buckets: number[];
  /** Duration of all calls that have ended, in seconds. */
  seconds: number;
  messagesReceived: number;
  messagesSent: number;
}

/** The calls of one method. */
export interface MethodCounts {
  /** `unary`, `client_stream`, `server_stream` or `bidi_stream`. */
  readonly type: string;
  /** Full name; `unknown` for methods that are passed on without a schema, whose names callers choose. */
  readonly service: string;
  readonly method: string;
  /** The URL of the upstream that serves it; undefined for own methods. */
  readonly upstream: string | undefined;
  /** Those over which it was called, or may be. */
  readonly protocols: Map<ProtocolName, CallCounts>;
}

/** Counts the calls of all methods. An observer of calls. */
export class CallCounter {
  readonly #boundsSeconds: readonly number[];
  /** A reload makes new methods, whose calls count with those before. */
  readonly #ofMethod = new WeakMap<Method, MethodCounts>();
  readonly #ofName = new Map<string, MethodCounts>();

  /** @param boundsSeconds upper bounds of buckets, ascending */
  constructor(boundsSeconds: readonly number[]) {
    this.#boundsSeconds = boundsSeconds;
  }

  get methods(): Iterable<MethodCounts> {
    return this.#ofName.values();
  }

  start({ method, protocol }: StartedCall): void {
    this.countsOf(method, protocol).started++;
  }

  end({ method, protocol, code, durationMs, messagesReceived, messagesSent }: FinishedCall): void {
    const counts = this.countsOf(method, protocol);
    increment(counts.handled, code !== undefined && code < codes ? code : code === undefined ? 0 : unknownCode);
    counts.messagesReceived += messagesReceived;
    counts.messagesSent += messagesSent;
    const seconds = durationMs / 1000;
    counts.seconds += seconds;
    const bounds = this.#boundsSeconds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    increment(counts.buckets, bucket);
  }

  /** Returns the counts of a method over a protocol, which are 0 before its first call. */
  countsOf(method: Method, protocol: ProtocolName): CallCounts {
    const { protocols } = this.#ofMethod.get(method) ?? this.#add(method);
    const known = protocols.get(protocol);
    if (known !== undefined) return known;
    const counts: CallCounts = {
      started: 0,
      handled: new Array<number>(codes).fill(0),
      buckets: new Array<number>(this.#boundsSeconds.length + 1).fill(0),
      seconds: 0,
      messagesReceived: 0,
      messagesSent: 0,
    };
    protocols.set(protocol, counts);
    return counts;
  }

  #add(method: Method): MethodCounts {
    const made = describeMethod(method);
    const name = `${made.upstream ?? ""} ${made.service}/${made.method}`;
    const counts = this.#ofName.get(name) ?? made;
    this.#ofName.set(name, counts);
    this.#ofMethod.set(method, counts);
    return counts;
  }
}

function increment(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function describeMethod({ kind, path, spec, upstream }: Method): MethodCounts {
  const { parent, name } = spec.method;
  const isKnown = path === `/${parent.typeName}/${name}`;
  return {
    type: kind.replace("streaming", "stream"),
    service: isKnown ? parent.typeName : "unknown",
    method: isKnown ? name : "unknown",
    upstream,
    protocols: new Map(),
  };
}
