// Peers in other languages. Their programs are built into the cache.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { readCpuUs, readRssBytes } from "../proc.js";
import { pin, stop, track } from "../processes.js";
import { go, goProgram } from "./go.js";
import { grpcWebProxy, webProxyProgram } from "./grpcwebproxy.js";
import { proxyProgram } from "./proxy.js";
import { python, pythonServer } from "./python.js";
import { rust, rustServer } from "./rust.js";
import { tlsFiles } from "./tls.js";

/**
 * @typedef {object} Toolchain
 * @property {string} program that it needs on the PATH
 * @property {() => void} build throws an Error if a registry cannot be reached
 * @property {() => Record<string, string>} versions package → version, as pinned in this folder
 */

/**
 * @typedef {object} Foreign
 * @property {Toolchain[]} needs
 * @property {(string[] | ((options: ListenOptions) => string[]))[]} programs commands. Each program serves until its
 *   standard input ends, prints its port, and takes the flags of `formatFlags`. The next one gets that port as `--backend`.
 *   The last one is called.
 * @property {boolean} [isNode] whether one of the programs runs on Node, and gets faster for a while
 * @property {string[]} [proxy] the command where a scenario has an upstream, whose port it gets as `--backend`
 */

/** @typedef {Pick<import("../server.js").ListenOptions, "isTls" | "hasInterceptors" | "backend" | "dist" | "node">} ListenOptions */

/** @satisfies {Partial<Record<import("./names.js").PeerName, Foreign>>} */
const known = {
  "grpc-go": { needs: [go], programs: [goProgram("grpc")] },
  "connect-go": { needs: [go], programs: [goProgram("connect")] },
  "vanguard-go": { needs: [go], programs: [goProgram("vanguard")], proxy: goProgram("vanguard-proxy") },
  "grpc-gateway": { needs: [go], programs: [goProgram("grpc"), goProgram("gateway")], proxy: goProgram("gateway") },
  "grpc-gateway-python": { needs: [go, python], programs: [pythonServer, goProgram("gateway")] },
  grpcwebproxy: { needs: [grpcWebProxy], programs: [], proxy: webProxyProgram },
  "proxy-python": { needs: [python], programs: [pythonServer, proxyProgram], isNode: true },
  tonic: { needs: [rust], programs: [rustServer] },
};

/** @typedef {keyof typeof known} ForeignName */

/** @type {Record<ForeignName, Foreign>} */
const foreignPeers = known;

/**
 * @param {string} name
 * @returns {name is ForeignName}
 */
export const isForeign = (name) => Object.hasOwn(foreignPeers, name);

/** @param {string} name @returns {boolean} whether a peer runs at full speed from the start */
export const isCompiled = (name) => isForeign(name) && foreignPeers[name].isNode !== true;

const toolchains = [go, grpcWebProxy, rust, python];
/** Those whose program is not on the PATH. */
const missing = new Set(toolchains.filter(({ program }) => spawnSync(program, ["--version"]).error !== undefined));

/** @param {string} name @returns {boolean} whether the peer can be built here */
export const isAvailable = (name) => !isForeign(name) || foreignPeers[name].needs.every((tools) => !missing.has(tools));

/** @returns {Record<string, string>} package → version, or why it is left out */
export function foreignVersions() {
  const entries = toolchains.flatMap((tools) =>
    Object.entries(tools.versions()).map(([name, version]) => [
      name,
      missing.has(tools) ? `left out: ${tools.program} is not on the PATH` : version,
    ]),
  );
  return Object.fromEntries(entries);
}

/** @type {Set<Toolchain>} */
const built = new Set();

/** @param {Toolchain} tools builds its programs, once in a run */
function buildOnce(tools) {
  if (built.has(tools)) return;
  tools.build();
  built.add(tools);
}

/** The processes of one foreign peer, which are asked what a `Helper` is asked. */
export class ForeignServer {
  #name;
  #side;
  /** @type {import("node:child_process").ChildProcess[]} */
  #children = [];

  /**
   * @param {ForeignName} name
   * @param {"server" | "load"} [side] whose core it runs on
   */
  constructor(name, side = "server") {
    this.#name = name;
    this.#side = side;
  }

  /**
   * @param {string} what
   * @param {any} [details]
   * @returns {Promise<any>}
   */
  async ask(what, details) {
    if (what === "listen") return this.listen(details.options);
    const pids = this.#children.map(({ pid = Number.NaN }) => pid);
    if (what === "usage") return { cpuUs: sum(pids.map(readCpuUs)) };
    if (what === "memory") return { rssBytes: sum(pids.map(readRssBytes)), heapBytes: 0 };
    throw new Error(`${this.#name}: cannot be asked for ${what}`);
  }

  /**
   * Builds the programs, if that is to be done, and starts them.
   * @param {ListenOptions} options
   * @returns {Promise<{ port: number }>}
   */
  async listen(options) {
    const { needs, programs, proxy = [] } = foreignPeers[this.#name];
    needs.forEach(buildOnce);
    let port = options.backend ?? Number.NaN;
    for (const program of options.backend === undefined ? programs : [proxy]) {
      const command = typeof program === "function" ? program(options) : program;
      const backend = Number.isNaN(port) ? [] : ["--backend", `${port}`];
      port = await this.#start([...command, ...formatFlags(options), ...backend]);
    }
    return { port };
  }

  /** @param {string[]} command @returns {Promise<number>} the port */
  async #start(command) {
    const [file = "", ...args] = pin(this.#side, command);
    // One processor, as the other servers have.
    const env = { ...process.env, GOMAXPROCS: "1" };
    const child = track(spawn(file, args, { env, stdio: ["pipe", "pipe", "inherit"] }));
    this.#children.push(child);
    for await (const line of createInterface(child.stdout)) return Number(line);
    throw new Error(`${command.join(" ")}: expected a port, found the end of its output`);
  }

  async stop() {
    await Promise.all(this.#children.map(stop));
  }
}

/** @param {ListenOptions} options */
function formatFlags({ isTls, hasInterceptors }) {
  return [
    ...(isTls ? ["--cert", tlsFiles.cert, "--key", tlsFiles.key] : []),
    ...(hasInterceptors ? ["--interceptors"] : []),
  ];
}

/** @param {number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);
