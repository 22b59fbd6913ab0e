// Three servers behind a proxy with a configuration of docs/deploy, each on a host of its own, and calls to the proxy.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authority, serverIdentity } from "../../../support/certificates.js";
import { certificateFiles } from "../../../support/foreign-target.js";
import { restRules } from "../../../support/load/calls.js";
import type { LoadMessage, LoadSettings } from "../../../support/load/main.js";
import { buildProcesses } from "../../../support/process/build.js";
import { type Child, startChild } from "../../../support/process/child.js";
import { outputOf, run } from "../../../support/program.js";
import { root } from "../cache.js";
import { Network } from "./networks.js";

const proxyAddress = "192.0.2.1";
const serverPort = 8080;
/** As in the configurations. */
export const serverAddresses: readonly string[] = ["192.0.2.11", "192.0.2.12", "192.0.2.13"];

/** A proxy with its file in docs/deploy. */
export interface Front {
  readonly name: string;
  readonly command: string;
  readonly file: string;
  /** The text of the file with the certificate that tests have. */
  fill(text: string, folder: string): string;
  args(file: string, folder: string): string[];
  /** What a server has to continue for after SIGTERM. */
  readonly drainDelayMs: number;
  /** Time after which the proxy sends no calls to a host that is away without a word. */
  readonly noticeMs: number;
  /** Time after which it ends calls on such a host; undefined if it waits for their deadlines. */
  readonly silenceMs?: number;
}

export const haproxy: Front = {
  name: "HAProxy",
  command: "haproxy",
  file: "haproxy.cfg",
  fill: (text, folder) => text.replace("/etc/haproxy/tls/", `${folder}/`),
  args: (file) => ["-db", "-q", "-f", file],
  drainDelayMs: 2000,
  noticeMs: 3500,
  silenceMs: 6000,
};

export const nginx: Front = {
  name: "nginx",
  command: "nginx",
  file: "nginx.conf",
  fill: (text, folder) => text.replaceAll("/etc/nginx/tls/", `${folder}/`),
  args: (file, folder) => ["-c", file, "-e", `${folder}/error.log`, "-g", `daemon off; pid ${folder}/pid;`],
  drainDelayMs: 0,
  noticeMs: 1500,
};

type Ended = Extract<LoadMessage, { kind: "ended" }>;

/** Calls that go on until they are ended. */
export interface Calls {
  /** Calls that got a response so far. */
  readonly answered: number;
  /** Begins no more calls. Resolves with what became of all. */
  end(): Promise<Ended>;
}

/** To be disposed, which ends all processes and removes the network. */
export class Stage implements AsyncDisposable {
  readonly #front: Front;
  readonly #network: Network;
  readonly #folder: string;
  readonly #servers = new Map<string, Child>();
  readonly #others = new Set<ChildProcess>();

  private constructor(front: Front, network: Network, folder: string) {
    this.#front = front;
    this.#network = network;
    this.#folder = folder;
  }

  static async open(front: Front): Promise<Stage> {
    const network = await Network.open([proxyAddress, ...serverAddresses]);
    const stage = new Stage(front, network, await mkdtemp(join(tmpdir(), "manywire-deploy-")));
    try {
      await Promise.all(serverAddresses.map((address) => stage.start(address)));
      await stage.#startProxy();
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
    return stage;
  }

  get network(): Network {
    return this.#network;
  }

  server(address: string): Child {
    const server = this.#servers.get(address);
    if (server === undefined) throw new Error(`there is no server at ${address}`);
    return server;
  }

  async start(address: string): Promise<void> {
    const { drainDelayMs } = this.#front;
    const times = { drainDelayMs, drainTimeoutMs: 5000 };
    const options = { host: address, port: serverPort, httpRules: restRules, trustProxy: proxyAddress, ...times };
    this.#servers.set(address, await startChild(options, { prefix: this.#network.on(address) }));
  }

  /** Resolves to what the proxy says to a request for `/` that has these headers. */
  getPage(headers: readonly string[]): Promise<string> {
    const ca = ["--cacert", certificateFiles.authority];
    const to = ["--connect-to", `localhost:443:${proxyAddress}:443`];
    const flags = headers.flatMap((header) => ["-H", header]);
    const [command = "", ...args] = [...this.#network.on(proxyAddress), "curl", "-sS", ...ca, ...to, ...flags];
    return outputOf(command, [...args, "https://localhost/"]);
  }

  /** @param limitMs after which a call without an end is lost */
  call(intervalMs: number, limitMs: number): Calls {
    const settings: LoadSettings = {
      url: `https://${proxyAddress}`,
      ca: authority.toString(),
      servername: "localhost",
      intervalMs,
      limitMs,
    };
    const program = join(buildProcesses(), "test/support/load/main.js");
    const child = this.#spawn([process.execPath, program, JSON.stringify(settings)], true);
    let answered = 0;
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("message", (message: LoadMessage) => {
        if (message.kind === "ended") resolve(message);
        else answered = message.answered;
      });
      // After the last message, which "close" need not be.
      child.once("disconnect", () => reject(new Error("the load has ended")));
    });
    ended.catch(() => {});
    return {
      get answered() {
        return answered;
      },
      end() {
        child.send("stop");
        return ended;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const servers = [...this.#servers.values()];
    for (const { process } of servers) process.kill("SIGKILL");
    await Promise.all(servers.map(({ exit }) => exit));
    for (const child of this.#others) child.kill("SIGTERM");
    await Promise.all([...this.#others].map((child) => once(child, "close")));
    this.#network[Symbol.dispose]();
    await rm(this.#folder, { recursive: true });
  }

  async #startProxy(): Promise<void> {
    const { command, file, fill, args } = this.#front;
    const path = join(this.#folder, file);
    const { cert, key } = serverIdentity;
    await writeFile(join(this.#folder, "api.pem"), Buffer.concat([cert, key]));
    await writeFile(join(this.#folder, "api-key.pem"), key);
    await writeFile(path, fill(await readFile(join(root, "docs/deploy", file), "utf8"), this.#folder));
    const child = this.#spawn([command, ...args(path, this.#folder)], false);
    while (!(await this.#accepts(443))) {
      if (!this.#others.has(child)) throw new Error(`${command} has ended, with ${child.exitCode}`);
    }
  }

  async #accepts(port: number): Promise<boolean> {
    const script = `require("net").connect(${port}, "${proxyAddress}").on("connect", () => process.exit(0))`;
    const [command = "", ...args] = [...this.#network.on(proxyAddress), process.execPath, "-e", script];
    return (await run(command, args)).code === 0;
  }

  #spawn(line: readonly string[], hasMessages: boolean): ChildProcess {
    const [command = "", ...args] = [...this.#network.on(proxyAddress), ...line];
    const channel = hasMessages ? (["ipc"] as const) : [];
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", ...channel] });
    this.#others.add(child);
    child.once("close", () => this.#others.delete(child));
    return child;
  }
}
