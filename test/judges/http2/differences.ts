// Where our HTTP/2 and Node's differ on purpose.
import { frameTypes } from "../../support/http2-frames.js";
import type { Step } from "./sequences.js";

/** What has become of a connection. */
export interface Outcome {
  readonly isOpen: boolean;
  /** The code of GOAWAY. */
  readonly code: number | undefined;
  /** Stream → "response", "begun" or "reset". */
  readonly streams: ReadonlyMap<number, string>;
}

interface Reason {
  readonly text: string;
  readonly holds: (steps: readonly Step[], ours: Outcome) => boolean;
}

/** Why Node closes a connection that we keep open. */
const nodeCloses: readonly Reason[] = [
  {
    text: "an acknowledgement of a PING that was not sent: RFC 9113 has no rule, we ignore it",
    holds: (steps) => steps.some(({ name }) => name.startsWith("PING acknowledgement on 0")),
  },
  {
    text: "WINDOW_UPDATE by 0, or by too much, on a stream: that is a stream error (section 6.9)",
    holds: (steps) => steps.some(({ name, id }) => /^WINDOW_UPDATE (?:0|2147483647) /.test(name) && id !== 0),
  },
  {
    text: "frames on a stream that it has reset: whoever resets may get such frames (section 5.1)",
    holds: (steps, { streams }) =>
      [...streams].some(([id, end]) => end === "reset" && steps.filter((step) => step.id === id).length > 1),
  },
];

/** Why we close a connection that Node keeps open. */
const weClose: readonly Reason[] = [
  {
    text: "frames on a stream that was skipped: they are a connection error (sections 5.1 and 5.1.1)",
    holds: hasSkipped,
  },
  {
    text: "frames that a client sends on a stream after it has reset it: they may be a connection error (section 5.1)",
    holds: goesOnAfterReset,
  },
];

interface StreamReason {
  readonly text: string;
  readonly holds: (steps: readonly Step[], ours: string | undefined, theirs: string | undefined) => boolean;
}

/** Why one stream ends otherwise; all steps are of this stream. */
const streamDiffers: readonly StreamReason[] = [
  {
    text: "Node leaves out fields with invalid characters; such a request is malformed (section 8.2.1)",
    holds: (steps) =>
      steps.some(({ name }) => /with (?:an empty name|a space in a name|NUL in a value|LF in a value)/.test(name)),
  },
  {
    text: "Node does not tell the end of a request whose trailers follow its headers in one packet",
    holds: (steps, _, theirs) => theirs === undefined && steps.some(({ name }) => name.startsWith("trailers")),
  },
  {
    text: "we respond to a whole request before we read the RST_STREAM behind it",
    holds: (steps, ours, theirs) =>
      ours === "response" && theirs === undefined && steps.some(({ type }) => type === frameTypes.rstStream),
  },
];

/** Returns what differs without a reason, or undefined. Of a closed connection nothing more counts. */
export function findDifference(steps: readonly Step[], ours: Outcome, theirs: Outcome): string | undefined {
  if (ours.isOpen !== theirs.isOpen) {
    const reasons = ours.isOpen ? nodeCloses : weClose;
    return reasons.some(({ holds }) => holds(steps, ours)) ? undefined : "the connection";
  }
  if (!ours.isOpen) return undefined;
  const id = differing(ours, theirs).find((differs) => {
    const own = steps.filter((step) => step.id === differs);
    const ends = [ours.streams.get(differs), theirs.streams.get(differs)] as const;
    return !streamDiffers.some(({ holds }) => holds(own, ...ends));
  });
  return id === undefined ? undefined : `stream ${id}`;
}

/** Streams that ended otherwise. */
function differing(ours: Outcome, theirs: Outcome): number[] {
  const ids = new Set([...ours.streams.keys(), ...theirs.streams.keys()]);
  return [...ids].filter((id) => ours.streams.get(id) !== theirs.streams.get(id));
}

function goesOnAfterReset(steps: readonly Step[]): boolean {
  const isCarrying = ({ type }: Step) => type === frameTypes.data || type === frameTypes.headers;
  return steps.some(
    (step, index) =>
      isCarrying(step) && steps.slice(0, index).some(({ type, id }) => type === frameTypes.rstStream && id === step.id),
  );
}

/** Whether a frame is on a stream lower than one that was opened before, and was never opened itself. */
function hasSkipped(steps: readonly Step[]): boolean {
  const opened = new Set<number>();
  return steps.some(({ id, type }) => {
    if (id !== 0 && !opened.has(id) && [...opened].some((other) => other > id)) return true;
    if (type === frameTypes.headers) opened.add(id);
    return false;
  });
}
