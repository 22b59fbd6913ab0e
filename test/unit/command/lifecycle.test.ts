import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { followProcess, type ProcessEvents, type Running } from "../../../server/command/lifecycle.js";
import { createLogger } from "../../../server/operate/log.js";

/** A process whose signals come when the test says so, and whose server closes when the test says so. */
class Scene {
  readonly seen: string[] = [];
  timeMs = 1000;
  readonly #listeners = new Map<string, (...args: never[]) => void>();
  closeServer: () => void = () => {};
  failClosing: (error: Error) => void = () => {};

  constructor(reload?: () => void) {
    const logger = createLogger("debug", {
      write: (line) => this.#note(`${JSON.parse(line).level}: ${JSON.parse(line).msg}`),
    });
    const running: Running = {
      server: {
        close: () => {
          this.#note("close");
          return new Promise((resolve, reject) => {
            this.closeServer = resolve;
            this.failClosing = reject;
          });
        },
      },
      logger,
      log: { end: async () => this.#note("log ends") },
      reload,
      now: () => this.timeMs,
    };
    const events: ProcessEvents = {
      on: (event: string, listener: (...args: never[]) => void) => this.#listeners.set(event, listener),
      exit: (code) => this.#note(`exit ${code}`),
    };
    followProcess(events, running);
  }

  emit(event: string, ...args: unknown[]): void {
    this.#listeners.get(event)?.(...((args.length > 0 ? args : [event]) as never[]));
  }

  #note(what: string): void {
    this.seen.push(what);
  }
}

const draining = "info: draining; a second signal ends at once";
const drainedAndGone = (code: number) => ["info: drained", "log ends", `exit ${code}`];

describe("a signal", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"])(
    "%s drains, then leaves with 0 after the last line of the log",
    async (signal) => {
      const scene = new Scene();
      scene.emit(signal);
      expect(scene.seen).toEqual([draining, "close"]);
      scene.closeServer();
      await nextTurn();
      expect(scene.seen.slice(2)).toEqual(drainedAndGone(0));
    },
  );

  it.each([
    ["SIGTERM", "SIGTERM", 143],
    ["SIGTERM", "SIGINT", 130],
    ["SIGINT", "SIGHUP", 129],
  ])("%s and then %s exits at once with %i", async (first, second, code) => {
    const scene = new Scene();
    scene.emit(first);
    scene.timeMs += 200;
    scene.emit(second);
    await nextTurn();
    expect(scene.seen.slice(2)).toEqual(["warn: leaving at once", "log ends", `exit ${code}`]);
  });

  it("that comes twice for one wish, as a Ctrl-C does under npm, drains", async () => {
    const scene = new Scene();
    scene.emit("SIGINT");
    scene.timeMs += 199;
    scene.emit("SIGINT");
    expect(scene.seen).toEqual([draining, "close"]);
  });

  it("of another kind is another wish, however soon it comes", async () => {
    const scene = new Scene();
    scene.emit("SIGTERM");
    scene.emit("SIGINT");
    await nextTurn();
    expect(scene.seen.at(-1)).toBe("exit 130");
  });

  it("SIGHUP reloads where there is something to reload, as often as it comes", () => {
    const scene = new Scene(() => scene.seen.push("reload"));
    scene.emit("SIGHUP");
    scene.emit("SIGHUP");
    expect(scene.seen).toEqual(["reload", "reload"]);
  });
});

describe("an uncaught error", () => {
  it("is logged, drains and exits with 1", async () => {
    const scene = new Scene();
    scene.emit("uncaughtException", new Error("boom"), "unhandledRejection");
    expect(scene.seen).toEqual(["error: uncaught error", "close"]);
    scene.closeServer();
    await nextTurn();
    expect(scene.seen.slice(2)).toEqual(drainedAndGone(1));
  });

  it("during a drain makes it end with 1, and drains no second time", async () => {
    const scene = new Scene();
    scene.emit("SIGTERM");
    scene.emit("uncaughtException", new Error("boom"), "uncaughtException");
    scene.closeServer();
    await nextTurn();
    expect(scene.seen).toEqual([draining, "close", "error: uncaught error", ...drainedAndGone(1)]);
  });

  it("makes the next signal a second one", async () => {
    const scene = new Scene();
    scene.emit("uncaughtException", new Error("boom"), "uncaughtException");
    scene.emit("SIGTERM");
    await nextTurn();
    expect(scene.seen.slice(2)).toEqual(["warn: leaving at once", "log ends", "exit 143"]);
  });
});

it("a drain that fails is logged and exits with 1", async () => {
  const scene = new Scene();
  scene.emit("SIGTERM");
  scene.failClosing(new Error("stuck"));
  await nextTurn();
  expect(scene.seen.slice(2)).toEqual(["error: drain failed", "log ends", "exit 1"]);
});
