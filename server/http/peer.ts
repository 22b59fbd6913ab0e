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
