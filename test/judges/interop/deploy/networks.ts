// Hosts with addresses of their own on this machine: network namespaces, connected by a bridge, with no way out.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { outputOf } from "../../../support/program.js";

const family = "manywire";
const folder = "/run/netns";

/** Why namespaces cannot be made here, or undefined. */
export function missingForNetworks(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const name = `${family}-${process.pid}-try`;
  const { status, error } = spawnSync("ip", ["netns", "add", name]);
  if (error !== undefined) return "ip is not on the PATH";
  if (status !== 0) return "ip cannot make network namespaces";
  spawnSync("ip", ["netns", "del", name]);
  return undefined;
}

/** One network with a host for each address. To be disposed, which removes it, and what runs in it. */
export class Network implements Disposable {
  readonly #addresses: readonly string[];
  readonly #onExit = () => this[Symbol.dispose]();

  private constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
    process.once("exit", this.#onExit);
  }

  /** @param addresses of one /24; the first host has the bridge */
  static async open(addresses: readonly string[]): Promise<Network> {
    removeLeftOver();
    const network = new Network(addresses);
    try {
      await network.#create();
    } catch (error) {
      network[Symbol.dispose]();
      throw error;
    }
    return network;
  }

  /** The command that runs the command behind it on a host. */
  on(address: string): readonly string[] {
    return ["ip", "netns", "exec", this.#nameOf(address)];
  }

  /** Takes the cable of a host out, or puts it back: its packets are lost without an error. */
  async plug(address: string, isIn: boolean): Promise<void> {
    const [hub = ""] = this.#addresses;
    await ip("-n", this.#nameOf(hub), "link", "set", this.#portOf(address), isIn ? "up" : "down");
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#onExit);
    for (const address of this.#addresses) remove(this.#nameOf(address));
  }

  async #create(): Promise<void> {
    const [hub = "", ...others] = this.#addresses;
    const first = this.#nameOf(hub);
    await ip("netns", "add", first);
    await ip("-n", first, "link", "set", "lo", "up");
    await ip("-n", first, "link", "add", "hub", "type", "bridge");
    await ip("-n", first, "addr", "add", `${hub}/24`, "dev", "hub");
    await ip("-n", first, "link", "set", "hub", "up");
    for (const address of others) {
      const [name, port] = [this.#nameOf(address), this.#portOf(address)];
      await ip("netns", "add", name);
      await ip("-n", name, "link", "set", "lo", "up");
      await ip("-n", first, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name);
      await ip("-n", first, "link", "set", port, "master", "hub", "up");
      await ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
      await ip("-n", name, "link", "set", "eth0", "up");
    }
  }

  #nameOf(address: string): string {
    return `${family}-${process.pid}-${address}`;
  }

  #portOf(address: string): string {
    return `port${this.#addresses.indexOf(address)}`;
  }
}

async function ip(...args: string[]): Promise<void> {
  await outputOf("ip", args);
}

/** Namespaces of test runs that were killed. */
function removeLeftOver(): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const [, pid] = new RegExp(`^${family}-(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(name);
  }
}

/** Removes a namespace, with what still runs in it. */
function remove(name: string): void {
  const { stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
  for (const pid of stdout.split("\n").filter((line) => line !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
  spawnSync("ip", ["netns", "del", name]);
}
