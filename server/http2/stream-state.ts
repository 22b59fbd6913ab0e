// The states of a stream and what moves it from one to the other: RFC 9113 §5.1 as a table.
//
// The reserved states are missing, because we neither push nor take pushes. `closed` is split: after our RST_STREAM the peer
// may send any frame until it learns of it.
import { ConnectionError, ErrorCode, StreamError } from "./errors.js";

export const StreamState = {
  idle: 0,
  open: 1,
  /** We have sent END_STREAM. */
  halfClosedLocal: 2,
  /** The peer has sent END_STREAM. */
  halfClosedRemote: 3,
  /** Both have sent END_STREAM, or the peer RST_STREAM. */
  closed: 4,
  /** We have sent RST_STREAM, or refused the stream. */
  reset: 5,
} as const;

export const StreamEvent = {
  receiveHeaders: 0,
  receiveData: 1,
  receiveEnd: 2,
  receiveReset: 3,
  receiveWindowUpdate: 4,
  sendHeaders: 5,
  sendData: 6,
  sendEnd: 7,
  sendReset: 8,
} as const;

/** Outcomes that are no state. */
const streamClosed = -1;
const connectionClosed = -2;
const connectionProtocol = -3;
/** We would break the rules: the caller's call is ignored. */
const refused = -4;

const { open, halfClosedLocal: local, halfClosedRemote: remote, closed, reset } = StreamState;

/** One row for each state, one column for each event, in the order of the numbers above. */
// biome-ignore format: a table
const table: readonly (readonly number[])[] = [
  //            HEADERS           DATA                END                 RST_STREAM          WINDOW_UPDATE       send: HEADERS  DATA     END      RST_STREAM
  /* idle   */ [open,             connectionProtocol, connectionProtocol, connectionProtocol, connectionProtocol, open,          refused, refused, refused],
  /* open   */ [open,             open,               remote,             closed,             open,               open,          open,    local,   reset],
  /* local  */ [local,            local,              closed,             closed,             local,              refused,       refused, refused, reset],
  /* remote */ [streamClosed,     streamClosed,       streamClosed,       closed,             remote,             remote,        remote,  closed,  reset],
  /* closed */ [connectionClosed, connectionClosed,   connectionClosed,   closed,             closed,             refused,       refused, refused, refused],
  /* reset  */ [reset,            reset,              reset,              reset,              reset,              refused,       refused, refused, refused],
];

/**
 * Returns the state after a frame of the peer.
 *
 * @throws StreamError, ConnectionError if the frame is not allowed in this state
 */
export function stateAfterReceiving(state: number, event: number, streamId: number): number {
  const next = table[state]?.[event] as number;
  if (next >= 0) return next;
  const found = `stream ${streamId}: a frame that is not allowed in state ${stateNames[state]}`;
  if (next === streamClosed) throw new StreamError(streamId, ErrorCode.streamClosed, found);
  throw new ConnectionError(next === connectionClosed ? ErrorCode.streamClosed : ErrorCode.protocolError, found);
}

/** Returns the state after a frame of ours, or undefined if we may not send it. */
export function stateAfterSending(state: number, event: number): number | undefined {
  const next = table[state]?.[event] as number;
  return next >= 0 ? next : undefined;
}

const stateNames = ["idle", "open", "half-closed (local)", "half-closed (remote)", "closed", "closed by reset"];
