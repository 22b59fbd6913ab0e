// Networks of addresses, as settings name them.
import { BlockList, isIP, isIPv4 } from "node:net";

/** Whether an address is in one of the networks. `""` is a client without an address. */
export type Networks = (address: string) => boolean;

/** Completes "expected …". */
export const networkForms = "addresses, networks such as 10.0.0.0/8, or loopback, linklocal, private, unix or *";

/** Networks that have a name: RFC 1122 section 3.2.1.3, 3927, 1918, 4291 and 4193. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  linklocal: ["169.254.0.0/16", "fe80::/10"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};
/** Express's name. */
const aliases: Readonly<Record<string, string>> = { uniquelocal: "private" };

const subnet = /^([^/]+)(?:\/(\d{1,3}))?$/;

/** A network, or undefined if the text is none. */
function parseSubnet(text: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [, address = "", prefix] = subnet.exec(text) ?? [];
  if (isIP(address) === 0 || address.includes("%")) return undefined;
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const most = family === "ipv4" ? 32 : 128;
  const bits = prefix === undefined ? most : Number(prefix);
  return bits <= most ? { address, bits, family } : undefined;
}

function subnetsOf(name: string): readonly string[] {
  return named[aliases[name] ?? name] ?? [name];
}

/** Whether a setting may have this item. */
export function isNetwork(item: unknown): item is string {
  if (item === "*" || item === "unix") return true;
  return typeof item === "string" && subnetsOf(item).every((one) => parseSubnet(one) !== undefined);
}

/** Addresses that are remembered: `BlockList.check` takes 8 µs. */
const maxKnown = 10_000;

/**
 * Makes the test of addresses.
 *
 * @param option the name of the option, for errors
 * @throws RangeError that names the option
 */
export function createNetworks(option: string, given: string | readonly string[]): Networks {
  const items = [given].flat();
  if (items.length === 0) throw new RangeError(`${option}: expected at least one network, found none`);
  for (const item of items) {
    if (!isNetwork(item)) throw new RangeError(`${option}: expected ${networkForms}, found ${JSON.stringify(item)}`);
  }
  if (items.includes("*")) return () => true;
  const list = new BlockList();
  for (const name of items.flatMap(subnetsOf)) {
    const network = parseSubnet(name);
    if (network !== undefined) list.addSubnet(network.address, network.bits, network.family);
  }
  const known = new Map<string, boolean>([["", items.includes("unix")]]);
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size === maxKnown) forgetAll(known);
    const isIn = list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
    known.set(address, isIn);
    return isIn;
  };
}

/** Forgets all but what is known of clients without an address. */
function forgetAll(known: Map<string, boolean>): void {
  const unix = known.get("") === true;
  known.clear();
  known.set("", unix);
}
