import { expect, test } from "vitest";
import { parseAddress } from "../../../../server/operate/trust/address.js";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["192.0.2.1:80", "192.0.2.1"],
  ["192.0.2.1:_port", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::1"],
  ["2001:DB8:0:0::1", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["[2001:db8::1]:80", "2001:db8::1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["[::ffff:c000:201]:1", "192.0.2.1"],
  ["fe80::1%eth0", "fe80::1"],
])("%s has the address %s", (text, address) => {
  expect(parseAddress(text)).toBe(address);
});

test.each([
  "",
  "unknown",
  "_hidden",
  "localhost",
  "192.0.2",
  "192.0.2.256",
  "192.0.2.01",
  "0x7f000001",
  "192.0.2.1:",
  "192.0.2.1:123456",
  "192.0.2.1:80:80",
  "192.0.2.1 ",
  "[192.0.2.1]",
  "[2001:db8::1",
  "2001:db8::1]:80",
  "[2001:db8::1]80",
  "[]",
  "2001:db8::1::",
  "%eth0",
  '"192.0.2.1"',
  "192.0.2.1\u202e",
  "１９２.0.2.1",
])("%j has none", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});
