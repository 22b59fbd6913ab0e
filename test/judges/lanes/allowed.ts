// The differences between the lanes that are known and meant, each with its reason. Everything else is a bug of one of them.
import type { Visible } from "./compare.js";
import type { Sample, Wire } from "./generate.js";
import { endsAfterHead, flagsOf, hasBrokenMessage } from "./read.js";

/** What both lanes made of a request. */
export interface Outcome {
  readonly wire: Wire;
  readonly sample: Sample;
  readonly fast: Visible;
  readonly reference: Visible;
}

/** A difference that may be. */
export interface Allowance {
  readonly name: string;
  readonly reason: string;
  /** Both responses without the difference, or undefined if it cannot be the difference. */
  settle(outcome: Outcome): readonly [fast: Visible, reference: Visible] | undefined;
}

/** In the order in which they are taken out. */
export const allowances: readonly Allowance[] = [
  {
    name: "length",
    reason: "the fast lane says the length of an answer that it has whole; Connect sends it as a stream",
    settle({ fast, reference }) {
      if (!has(fast, "content-length") || has(reference, "content-length")) return undefined;
      return [without(fast, "content-length"), without(reference, "transfer-encoding")];
    },
  },
  {
    name: "keep-alive",
    reason:
      "HTTP/1.1 closes a connection if the body was still arriving when the answer began, which is a matter of time",
    settle({ sample, fast, reference }) {
      if (sample.httpVersion === "2") return undefined;
      return [without(fast, "connection", "keep-alive"), without(reference, "connection", "keep-alive")];
    },
  },
  {
    name: "trailers only",
    reason:
      "a gRPC answer without messages may have its trailers among its headers, and the lanes do not always agree when",
    settle({ wire, fast, reference }) {
      const isShort = wire === "grpc" && fast.body.length === 0 && reference.body.length === 0;
      // Trailers of HTTP/1.1 need chunks, and a head without them says that nothing follows.
      const settled = (visible: Visible) => without(withTrailersInHead(visible), "content-length", "transfer-encoding");
      return isShort ? [settled(fast), settled(reference)] : undefined;
    },
  },
  {
    name: "bad base64",
    reason:
      "the reference lane refuses a query that is no base64 before Connect could answer 500, and so without compression",
    settle({ fast, reference }) {
      const isBad = /expected base64/.test(fast.error?.message ?? "") && isSameError(fast, reference);
      return isBad ? [fast, fast] : undefined;
    },
  },
  {
    name: "no message",
    reason:
      "the fast lane names the field of bytes that are no message, and answers them with invalid_argument in Connect; the reference answers internal; each takes some that the other does not, and test/unit/codec/broken-rules.ts has the list",
    settle({ wire, sample, fast, reference }) {
      const isFound = /: (expected \d+ bytes|invalid (UTF-8|tag|varint|field)|unexpected (end|wire type)|extends past)/;
      const isBroken =
        isFound.test(fast.error?.message ?? "") ||
        /^parse binary: /.test(reference.error?.message ?? "") ||
        hasBrokenMessage(wire, sample);
      return isBroken ? [fast, fast] : undefined;
    },
  },
  {
    name: "end flag",
    reason:
      "the fast lane skips an envelope with its protocol's end flag unread; Connect decompresses it first, and obeys its limit",
    settle({ wire, sample, fast }) {
      const flag = { grpc: 0, "grpc-web": 0x80, "grpc-web-text": 0x80, connect: 2 }[wire];
      return flagsOf(wire, sample).some((flags) => (flags & flag) !== 0) ? [fast, fast] : undefined;
    },
  },
  {
    name: "end after a head",
    reason: "Connect 2.1.2 takes a body that ends right after the five bytes of an envelope's head for whole",
    settle({ wire, sample, fast }) {
      const isRefused = /incomplete envelope/.test(fast.error?.message ?? "");
      return isRefused && endsAfterHead(wire, sample) ? [fast, fast] : undefined;
    },
  },
  {
    name: "words for JSON",
    reason:
      "the fast lane reads JSON itself, and names the field or the place in its own words; the codes are the same",
    settle({ fast, reference }) {
      const isJson = /from JSON/.test(reference.error?.message ?? "") && fast.error?.code === reference.error?.code;
      return isJson ? [fast, fast] : undefined;
    },
  },
  {
    name: "invalid UTF-8 in JSON",
    reason: "Connect replaces bytes that are not valid UTF-8, where the fast lane refuses them",
    settle({ fast }) {
      return /is not valid UTF-8/.test(fast.error?.message ?? "") ? [fast, fast] : undefined;
    },
  },
  {
    name: "two faults",
    reason: "of a request with two faults each lane may name the one that it finds first",
    settle({ sample, fast, reference }) {
      const isBoth = sample.faults > 1 && fast.error !== undefined && reference.error !== undefined;
      return isBoth ? [fast, fast] : undefined;
    },
  },
];

const nameOf = (field: string) => field.slice(0, field.indexOf(":"));

function has({ headers }: Visible, name: string): boolean {
  return headers.some((field) => nameOf(field) === name);
}

function without(visible: Visible, ...names: string[]): Visible {
  return { ...visible, headers: visible.headers.filter((field) => !names.includes(nameOf(field))) };
}

function withTrailersInHead(visible: Visible): Visible {
  return { ...visible, headers: [...visible.headers, ...visible.trailers].sort(), trailers: [] };
}

function isSameError(one: Visible, other: Visible): boolean {
  return one.error?.code === other.error?.code && one.error?.message === other.error?.message;
}
