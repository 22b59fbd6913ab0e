// PROXY headers, as proxies send them: https://github.com/haproxy/haproxy/blob/v2.6.0/doc/proxy-protocol.txt

/** A header of version 1 for an IPv4 client. */
export const proxyHeader1 = (client: string): Buffer => Buffer.from(`PROXY TCP4 ${client} 10.0.0.1 51000 443\r\n`);

/** A header of version 2. @param hex addresses and extensions, with spaces or without */
export function proxyHeader2(command: number, family: number, hex: string): Buffer {
  const rest = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const head = Buffer.from([...Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"), command, family, 0, 0]);
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}
