// Node's HTTP/2 judges ours: both get the same random frames, and accept or refuse alike.
// MANYWIRE_HTTP2_CASES says how many sequences, MANYWIRE_SEED where to begin.
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Exchange, respond } from "../../../server/http/exchange.js";
import { createListener } from "../../../server/listen/listener.js";
import { decodeFrames, encodeFrame, frameFlags, frameTypes, preface } from "../../support/http2-frames.js";
import { Random, seed } from "../../support/random.js";
import { openRaw, type RawSocket } from "../../support/raw-socket.js";
import { findDifference, type Outcome } from "./differences.js";
import { drawSequence, type Step } from "./sequences.js";

const cases = Number(process.env.MANYWIRE_HTTP2_CASES ?? 300);
const parallel = 8;

test("random frames are accepted or refused as by Node", { timeout: 60_000 + cases * 100 }, async () => {
  await using own = await start("own");
  await using node = await start("node");
  const failures: string[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < cases && failures.length < 10) {
        const number = seed + next++;
        const steps = drawSequence(new Random(number));
        const failure = (await compare(own.url, node.url, steps, 5)) && (await compare(own.url, node.url, steps, 300));
        if (failure !== undefined) failures.push(`seed ${number}:\n${failure}`);
      }
    }),
  );
  expect(failures).toEqual([]);
});

/** Returns what differs without a reason. @param restMs what responses may take after the last frame */
async function compare(own: string, node: string, steps: readonly Step[], restMs: number): Promise<string | undefined> {
  const [ours, theirs] = await Promise.all([send(own, steps, restMs), send(node, steps, restMs)]);
  const difference = findDifference(steps, ours, theirs);
  if (difference === undefined) return undefined;
  return [
    `  ${difference} differs`,
    ...steps.map(({ name }) => `  ${name}`),
    `  ours: ${show(ours)}`,
    `  Node: ${show(theirs)}`,
  ].join("\n");
}

function show({ isOpen, code, streams }: Outcome): string {
  return `${isOpen ? "open" : `closed with ${code}`}, ${JSON.stringify([...streams])}`;
}

async function start(http2: "own" | "node"): Promise<{ url: string } & AsyncDisposable> {
  const listener = createListener({
    address: { host: "127.0.0.1", port: 0 },
    http2,
    handler: echo,
    limits: { idleGraceMs: 0 },
  });
  await listener.listen();
  return {
    url: listener.url,
    async [Symbol.asyncDispose]() {
      listener.destroy();
      await listener.closed;
    },
  };
}

/** Responds when the whole request has come. */
function echo(exchange: Exchange): void {
  exchange.attach({
    onData() {},
    onEnd: () => respond(exchange, 200, {}, "whole"),
    onDrain() {},
    onClose() {},
  });
  exchange.read();
}

/** Sends a sequence, and returns what has become of the connection and its streams. */
async function send(url: string, steps: readonly Step[], restMs: number): Promise<Outcome> {
  await using raw = await openRaw(url);
  const settings = encodeFrame(frameTypes.settings, 0, 0);
  const acknowledgement = encodeFrame(frameTypes.settings, frameFlags.ack, 0);
  raw.write(Buffer.concat([preface, settings, acknowledgement, ...steps.map(({ bytes }) => bytes)]));
  const isOpen = (await isServed(raw, 1)) && (await delay(restMs, true)) && (await isServed(raw, 2));
  const frames = decodeFrames(raw.received);
  const goaway = frames.findLast(({ type }) => type === frameTypes.goaway);
  const streams = new Map<number, string>();
  for (const { type, stream, flags } of frames) {
    if (stream === 0) continue;
    if (type === frameTypes.rstStream) streams.set(stream, "reset");
    else if (type === frameTypes.headers && !streams.has(stream)) streams.set(stream, "begun");
    if (type !== frameTypes.rstStream && (flags & frameFlags.endStream) !== 0) streams.set(stream, "response");
  }
  return { isOpen: isOpen && goaway === undefined, code: goaway?.payload.readUInt32BE(4), streams };
}

/** Node may neither reply nor close the connection for a while after an error. */
const silenceMs = 1000;

/** Whether a PING of ours comes back before the connection is closed. */
async function isServed(raw: RawSocket, mark: number): Promise<boolean> {
  const payload = Buffer.from([7, 7, 7, 7, 7, 7, 7, mark]);
  raw.write(encodeFrame(frameTypes.ping, 0, 0, payload));
  const isAnswer = (frame: { type: number; flags: number; payload: Buffer }) =>
    frame.type === frameTypes.ping && frame.flags === frameFlags.ack && frame.payload.equals(payload);
  const timer = setTimeout(() => raw.socket.destroy(), silenceMs);
  while (!decodeFrames(raw.received).some(isAnswer)) {
    if (raw.socket.closed) return false;
    await raw.untilBytes(raw.received.length + 1).catch(() => {});
  }
  clearTimeout(timer);
  return true;
}
