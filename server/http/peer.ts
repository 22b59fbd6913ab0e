// The address of the client at the other end of a connection.
import { isIPv4, type Socket, SocketAddress } from "node:net";

const peerKey: unique symbol = Symbol("peer");

/** Node has no public name for the TCP socket of a TLS socket. */
type PeerSocket = Socket & { [peerKey]?: string; readonly _parent?: PeerSocket };

/**
 * Returns the address of the client of a socket, TLS or not; "" for a Unix socket. To be called once while the client is
 * connected: Node does not know the address of a closed socket.
 */
export function peerOf(socket: PeerSocket): string {
  const connection = socket._parent ?? socket;
  connection[peerKey] ??= formatPeer(connection.remoteAddress ?? "");
  return connection[peerKey];
}

/** Names another client of a socket: the one for which a proxy has opened the connection. */
export function setPeer(socket: PeerSocket, address: string): void {
  socket[peerKey] = address;
}

/**
 * Returns an address in the one way in which all of manywire shows it: that of an IPv4 client as IPv4, also where the socket
 * is one of IPv6 (`::ffff:192.0.2.1`), and without a zone (`fe80::1%eth0`), which has a meaning on this machine only.
 */
export function formatPeer(address: string): string {
  const zone = address.indexOf("%");
  if (zone >= 0) return address.slice(0, zone);
  return mappedIpv4.test(address) ? address.slice(mappedIpv4Prefix.length) : address;
}

const mappedIpv4Prefix = "::ffff:";
const mappedIpv4 = /^::ffff:\d+\./;

/** The same of an IP address that others have written: IPv6 in the short form, because counters by address go by its text. */
export function normalizePeer(address: string): string {
  const plain = formatPeer(address);
  return isIPv4(plain) ? plain : formatPeer(new SocketAddress({ family: "ipv6", address: plain }).address);
}

/** The prefix that one IPv6 client usually has for itself: it can use any address in it. */
const ipv6Groups = 4;

/** What counts as one client: an IPv4 address, or of an IPv6 address the first 64 bits, `2001:db8:0:0`. */
export function clientNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const [before = "", after] = address.split("::");
  const left = groupsOf(before);
  const right = groupsOf(after ?? "");
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  const groups = after === undefined ? left : [...left, ...zeros, ...right];
  return groups.slice(0, ipv6Groups).join(":");
}

function groupsOf(text: string): string[] {
  if (text === "") return [];
  // The last 32 bits may be written as IPv4. They do not count here.
  return text.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [trimZeros(group)]));
}

function trimZeros(group: string): string {
  return group.toLowerCase().replace(/^0+(?=.)/, "");
}
