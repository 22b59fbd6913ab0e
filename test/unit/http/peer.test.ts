import { expect, test } from "vitest";
import { formatPeer } from "../../../server/http/peer.js";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:abcd", "::ffff:abcd"],
  ["2001:db8::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["", ""],
])("the address %j is shown as %j", (address, shown) => {
  expect(formatPeer(address)).toBe(shown);
});
