// What an application can do to its own server: handlers and interceptors that break every rule.
import { setTimeout as delay } from "node:timers/promises";
import { describe, test } from "vitest";
import { callHead, opening, wholeData } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { openRaw } from "../support/raw-socket.js";
import { misbehave } from "./misbehaviour.js";
import { compressedCalls, interceptorCalls, streamCalls, unaryCalls } from "./misbehaviours.js";
import { quick, useVictim } from "./victim.js";

/** Clients on a busy machine may open several connections before they write. */
const limits = { ...quick, openingMs: 10_000 };

describe.each([
  ["handlers", { hasInterceptors: false }],
  ["handlers behind interceptors", { hasInterceptors: true }],
])("%s", (_, options) => {
  const victim = useVictim({ ...options, limits });

  test("every misbehaviour of a unary handler is an end of its own call only", async () => {
    await misbehave(victim, unaryCalls);
  });

  test("every misbehaviour of a streaming handler is an end of its own call only", async () => {
    await misbehave(victim, streamCalls);
  });

  if (options.hasInterceptors) {
    test("every misbehaviour of an interceptor is an end of its own call only", async () => {
      await misbehave(victim, interceptorCalls);
    });
  }

  test.each(["vanish", "end"] as const)("callers of rude handlers may leave: they %s", async (leave) => {
    await victim.withstand(async (url) => {
      for (const { method, handler = "" } of [...unaryCalls, ...streamCalls]) {
        await using socket = await openRaw(url);
        const fields = { ":path": `/manywire.test.v1.TestService/${method}`, "content-type": "application/grpc+json" };
        socket.write(
          Buffer.concat([opening(), callHead(1, fields), wholeData(1, envelope(JSON.stringify({ text: handler })))]),
        );
        await delay(4);
        socket[leave]();
        await delay(2);
      }
    });
  });
});

describe("callbacks that throw", () => {
  const victim = useVictim({ hasRudeCallbacks: true, limits });

  test("compressions and an observer that fail are an end of their own call only", async () => {
    await misbehave(victim, compressedCalls);
  });
});
