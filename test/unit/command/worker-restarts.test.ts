import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { WorkerOrder, WorkerRole } from "../../../server/command/workers/messages.js";
import type { Exit, Ready } from "../../../server/command/workers/worker-process.js";
import { restartDelayMs, Workers } from "../../../server/command/workers/workers.js";
import { createLogger } from "../../../server/operate/log.js";

/** A process that does what the test says. */
class FakeProcess {
  static lastPid = 0;
  readonly pid = ++FakeProcess.lastPid;
  readonly role: WorkerRole;
  readonly ready: Promise<Ready>;
  readonly left: Promise<void>;
  readonly exited: Promise<Exit>;
  readonly orders: string[] = [];
  #isGone = false;
  listen: () => void = () => {};
  die: (exit?: Partial<Exit>) => void = () => {};

  constructor(role: WorkerRole) {
    this.role = role;
    let reject: (error: Error) => void = () => {};
    this.ready = new Promise((resolve, fail) => {
      this.listen = () => resolve({ url: "http://127.0.0.1:1", banner: "", port: { add: () => {}, remove: () => {} } });
      reject = fail;
    });
    this.ready.catch(() => {});
    this.exited = new Promise((resolve) => {
      this.die = (exit = {}) => {
        this.#isGone = true;
        reject(new Error("gone"));
        resolve({ exitCode: null, signal: "SIGKILL", ...exit });
      };
    });
    this.left = this.exited.then(() => {});
  }

  send({ manywire }: WorkerOrder): void {
    if (this.#isGone) return;
    this.orders.push(manywire);
    this.die({ exitCode: 0, signal: null });
  }

  async report(): Promise<undefined> {}

  take(): boolean {
    return true;
  }

  kill(): void {
    this.orders.push("kill");
    this.die();
  }
}

class Scene {
  readonly processes: FakeProcess[] = [];
  readonly delays: number[] = [];
  readonly log: string[] = [];
  timeMs = 0;
  readonly workers = new Workers({
    fork: (role) => {
      const process = new FakeProcess(role);
      this.processes.push(process);
      return process;
    },
    ports: { closeUnused: () => {} },
    logger: createLogger("debug", {
      write: (line) => {
        const { worker, msg, reason } = JSON.parse(line);
        this.log.push([worker, msg, reason].filter((word) => word !== undefined).join(" "));
      },
    }),
    stderr: { isTTY: false, hasColors: false },
    now: () => this.timeMs,
    delay: async (ms) => {
      this.delays.push(ms);
    },
  });

  /** Starts workers, which listen. */
  async start(count: number): Promise<void> {
    const started = this.workers.start(count);
    for (let index = 0; index < count; index++) (await this.next(index)).listen();
    await started;
  }

  async next(index: number): Promise<FakeProcess> {
    for (let turn = 0; turn < 10; turn++) {
      const process = this.processes[index];
      if (process !== undefined) return process;
      await nextTurn();
    }
    throw new Error(`expected process ${index}, found ${this.processes.length}`);
  }
}

describe("a worker that dies", () => {
  it("is replaced at once if it has lived, and later if it dies again and again", async () => {
    const scene = new Scene();
    await scene.start(1);
    scene.timeMs = 10_000;
    for (let index = 0; index < 8; index++) {
      (await scene.next(index)).die();
      (await scene.next(index + 1)).listen();
      await nextTurn();
    }
    expect(scene.delays).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    scene.timeMs = 20_000;
    (await scene.next(8)).die();
    (await scene.next(9)).listen();
    await nextTurn();
    expect(scene.delays.at(-1)).toBe(0);
    expect(scene.processes.every(({ role }) => role.worker === 1)).toBe(true);
  });

  it("is replaced also if the next ones do not start", async () => {
    const scene = new Scene();
    await scene.start(2);
    (await scene.next(1)).die();
    (await scene.next(2)).die();
    (await scene.next(3)).die();
    (await scene.next(4)).listen();
    await nextTurn();
    expect(scene.delays).toEqual([1000, 2000, 4000]);
    expect(scene.log.filter((line) => line.includes("not started"))).toHaveLength(2);
  });
});

describe("a replacement", () => {
  it("drains an old worker only when the new one listens", async () => {
    const scene = new Scene();
    await scene.start(2);
    const replaced = scene.workers.replace(2);
    const third = await scene.next(2);
    expect(third.role).toMatchObject({ worker: 1, isSuccessor: true, isFirst: false });
    await nextTurn();
    expect(scene.processes[0]?.orders).toEqual([]);
    third.listen();
    const fourth = await scene.next(3);
    expect(scene.processes[0]?.orders).toEqual(["retire"]);
    expect(scene.processes[1]?.orders).toEqual([]);
    fourth.listen();
    await replaced;
    expect(scene.processes[1]?.orders).toEqual(["retire"]);
    expect(scene.delays).toEqual([]);
  });

  it("changes nothing if the first new worker does not start", async () => {
    const scene = new Scene();
    await scene.start(2);
    const replaced = scene.workers.replace(2);
    (await scene.next(2)).die();
    await expect(replaced).rejects.toThrow("gone");
    expect(scene.processes.map(({ orders }) => orders)).toEqual([[], [], []]);
  });

  it("starts more workers, or ends some, if the settings say so", async () => {
    const scene = new Scene();
    await scene.start(2);
    const more = scene.workers.replace(3);
    for (const index of [2, 3, 4]) (await scene.next(index)).listen();
    await more;
    const fewer = scene.workers.replace(1);
    (await scene.next(5)).listen();
    await fewer;
    const ended = scene.processes.map(({ orders }) => orders.join());
    expect(ended).toEqual(["retire", "retire", "retire", "retire", "retire", ""]);
    expect(scene.delays).toEqual([]);
  });

  it("takes the place of a worker that waits to be started again", async () => {
    const scene = new Scene();
    await scene.start(1);
    (await scene.next(0)).die();
    const waiting = await scene.next(1);
    const replaced = scene.workers.replace(1);
    (await scene.next(2)).listen();
    await replaced;
    waiting.die();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(scene.processes).toHaveLength(3);
  });
});

describe("the end", () => {
  it("drains those that serve, and ends those that start", async () => {
    const scene = new Scene();
    await scene.start(2);
    void scene.workers.replace(2).catch(() => {});
    await scene.next(2);
    await scene.workers.close();
    expect(scene.processes.map(({ orders }) => orders)).toEqual([["drain"], ["drain"], ["kill"]]);
    expect(scene.delays).toEqual([]);
  });

  it("rejects if a worker ends with an error", async () => {
    const scene = new Scene();
    await scene.start(2);
    const first = await scene.next(0);
    first.send = () => first.die({ exitCode: 1, signal: null });
    await expect(scene.workers.close()).rejects.toThrow("a worker ended with exit code 1");
  });
});

describe("the wait", () => {
  it("doubles from 1 s to 30 s", () => {
    expect([0, 1, 2, 5, 6, 7, 100].map(restartDelayMs)).toEqual([0, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
  });
});
