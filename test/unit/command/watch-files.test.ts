import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchFiles } from "../../../server/command/watch-files.js";

let folder: string;
let watch: Watch;

/** A watch that looks when the test says so. */
class Watch {
  paths: string[];
  changes = 0;
  #resolveLook: ((goesOn: boolean) => void) | undefined;
  #resolveWait = (): void => {};

  constructor(...paths: string[]) {
    this.paths = paths;
    void watchFiles({
      list: () => this.paths,
      onChange: () => {
        this.changes++;
      },
      untilNext: () =>
        new Promise((resolve) => {
          this.#resolveLook = resolve;
          this.#resolveWait();
        }),
    });
  }

  /** Resolves when the watch has looked. */
  async look(): Promise<void> {
    await this.#untilWaiting();
    this.#resolveLook?.(true);
    this.#resolveLook = undefined;
    await this.#untilWaiting();
  }

  async stop(): Promise<void> {
    await this.#untilWaiting();
    this.#resolveLook?.(false);
  }

  async #untilWaiting(): Promise<void> {
    if (this.#resolveLook !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#resolveWait = resolve;
    });
  }
}

const inFolder = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "manywire-watch-"));
  writeFileSync(inFolder("a.yaml"), "1");
  watch = new Watch(inFolder("a.yaml"));
});
afterEach(async () => {
  await watch.stop();
  rmSync(folder, { recursive: true });
});

test("a change counts once the file stays the same", async () => {
  await watch.look();
  writeFileSync(inFolder("a.yaml"), "22");
  await watch.look();
  writeFileSync(inFolder("a.yaml"), "333");
  await watch.look();
  expect(watch.changes).toBe(0);
  await watch.look();
  expect(watch.changes).toBe(1);
  await watch.look();
  expect(watch.changes).toBe(1);
});

const changes: [what: string, change: () => void][] = [
  ["is written", () => writeFileSync(inFolder("a.yaml"), "22")],
  ["is replaced by another, as editors do", () => replace("1")],
  ["is removed", () => unlinkSync(inFolder("a.yaml"))],
];

function replace(text: string): void {
  writeFileSync(inFolder("new"), text);
  renameSync(inFolder("new"), inFolder("a.yaml"));
}

test.each(changes)("notices that a file %s", async (_, change) => {
  await watch.look();
  change();
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(1);
});

test("notices that a removed file is back", async () => {
  await watch.look();
  unlinkSync(inFolder("a.yaml"));
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(1);
  writeFileSync(inFolder("a.yaml"), "1");
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(2);
});

test("notices a link that is swapped, as Kubernetes does", async () => {
  writeFileSync(inFolder("b.yaml"), "1");
  symlinkSync("a.yaml", inFolder("link"));
  await watch.stop();
  watch = new Watch(inFolder("link"));
  await watch.look();
  symlinkSync("b.yaml", inFolder("new"));
  renameSync(inFolder("new"), inFolder("link"));
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(1);
});

test("notices proto files of a folder, and no others", async () => {
  await watch.stop();
  watch = new Watch(folder);
  await watch.look();
  writeFileSync(inFolder("notes.txt"), "");
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(0);
  writeFileSync(inFolder("a.proto"), "");
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(1);
});

test("takes a path that is new in the list as it is", async () => {
  writeFileSync(inFolder("b.yaml"), "1");
  await watch.look();
  watch.paths.push(inFolder("b.yaml"));
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(0);
  writeFileSync(inFolder("b.yaml"), "22");
  await watch.look();
  await watch.look();
  expect(watch.changes).toBe(1);
});
