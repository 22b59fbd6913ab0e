// grpc-go, where Go is: a program of its own, built from the folder `go` into the cache.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pin, track } from "../processes.js";
import { cacheFolder, root } from "../schema.js";
import { tlsFiles } from "./tls.js";

const sources = fileURLToPath(new URL("go", import.meta.url));
const folder = join(cacheFolder, "grpc-go");
const program = join(folder, "bin", "bench");

/** Ticks a second in /proc: USER_HZ of Linux. */
const ticksPerSecond = 100;

/** Whether there is a Go to build it with. */
export const hasGo = spawnSync("go", ["version"]).status === 0;

/** Builds the program. To be called once. @throws {Error} if Go's module proxy cannot be reached */
export function buildGrpcGo() {
  const gen = join(folder, "gen");
  mkdirSync(gen, { recursive: true });
  writeFileSync(join(gen, "go.mod"), "module manywire.test/bench/gen\n\ngo 1.26.0\n");
  const env = { ...process.env, GOBIN: join(folder, "bin"), GOFLAGS: "-mod=readonly", GOWORK: "off" };
  const go = (/** @type {string[]} */ ...args) => execFileSync("go", args, { cwd: sources, env, stdio: "inherit" });
  go("install", "tool");
  const buf = join(root, "node_modules/.bin/buf");
  const template = ["--template", join(sources, "buf.gen.yaml")];
  execFileSync(buf, ["generate", "--path", "proto/hello_world.proto", ...template], { cwd: root, stdio: "inherit" });
  execFileSync(buf, ["generate", "test/bench", ...template], { cwd: root, stdio: "inherit" });
  go("install", "./...");
}

/** The version of grpc-go, as go.mod has it. */
export function grpcGoVersion() {
  return /google\.golang\.org\/grpc v(\S+)/.exec(readFileSync(join(sources, "go.mod"), "utf8"))?.[1] ?? "unknown";
}

/** A server that is asked what a `Helper` is asked. */
export class GrpcGo {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;

  /**
   * @param {string} what
   * @param {any} [details]
   * @returns {Promise<any>}
   */
  async ask(what, details) {
    if (what === "listen") return { port: await this.#start(details.options) };
    if (what === "usage") return { cpuUs: this.#cpuUs() };
    if (what === "memory") return { rssBytes: this.#rssBytes(), heapBytes: 0 };
    throw new Error(`grpc-go: cannot be asked for ${what}`);
  }

  /** @param {import("../server.js").ListenOptions} options */
  async #start({ isTls, hasInterceptors }) {
    const flags = [
      ...(isTls ? ["--tls", tlsFiles.cert, tlsFiles.key] : []),
      ...(hasInterceptors ? ["--interceptors"] : []),
    ];
    const [command = program, ...args] = pin("server", [program, ...flags]);
    // One processor, as the other servers have.
    const env = { ...process.env, GOMAXPROCS: "1" };
    const child = track(spawn(command, args, { env, stdio: ["pipe", "pipe", "inherit"] }));
    this.#child = child;
    for await (const line of createInterface(child.stdout)) return Number(line);
    throw new Error("grpc-go: expected a port, found the end");
  }

  /** The fields of /proc/PID/stat behind the name of the program. */
  #stat() {
    const text = readFileSync(`/proc/${this.#child?.pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  }

  #cpuUs() {
    const [utime = 0, stime = 0] = this.#stat().slice(11, 13).map(Number);
    return ((utime + stime) * 1e6) / ticksPerSecond;
  }

  #rssBytes() {
    const pageBytes = 4096;
    return Number(this.#stat()[21]) * pageBytes;
  }

  /** @returns {Promise<void>} */
  stop() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }
}
