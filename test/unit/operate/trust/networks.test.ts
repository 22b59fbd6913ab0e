import { describe, expect, test } from "vitest";
import { createNetworks, networkForms } from "../../../../server/operate/trust/networks.js";

test.each<[given: string | string[], inside: string[], outside: string[]]>([
  ["loopback", ["127.0.0.1", "127.255.0.1", "::1"], ["128.0.0.1", "::2", ""]],
  ["linklocal", ["169.254.1.1", "fe80::1"], ["169.255.0.1", "fec0::1"]],
  [
    "private",
    ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1"],
    ["11.0.0.1", "172.32.0.1", "192.169.0.1", "fe00::1", "127.0.0.1"],
  ],
  ["uniquelocal", ["10.0.0.1", "fd00::1"], ["11.0.0.1"]],
  ["192.0.2.1", ["192.0.2.1"], ["192.0.2.2"]],
  ["192.0.2.7/24", ["192.0.2.200"], ["192.0.3.1"]],
  ["0.0.0.0/0", ["192.0.2.1"], ["::1", ""]],
  ["2001:db8::/32", ["2001:db8:1::1"], ["2001:db9::1"]],
  ["unix", [""], ["127.0.0.1"]],
  [
    ["loopback", "192.0.2.1"],
    ["::1", "192.0.2.1"],
    ["192.0.2.2", ""],
  ],
  ["*", ["192.0.2.1", "::1", ""], []],
])("%j is these addresses, and no others", (given, inside, outside) => {
  const has = createNetworks("trustProxy", given);
  for (let round = 0; round < 2; round++) {
    expect(inside.filter((address) => !has(address))).toEqual([]);
    expect(outside.filter(has)).toEqual([]);
  }
});

test("more addresses than are remembered are distinguished", () => {
  const has = createNetworks("trustProxy", ["10.0.0.0/9", "unix"]);
  for (let index = 0; index < 12_000; index++) {
    const rest = `${(index >> 8) & 255}.${index & 255}`;
    expect([has(`10.0.${rest}`), has(`10.128.${rest}`)]).toEqual([true, false]);
  }
  expect(has("")).toBe(true);
});

describe("an invalid network", () => {
  test.each([
    "",
    "true",
    "all",
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "::/129",
    "fe80::1%eth0",
    "localhost",
    "constructor",
  ])("%j is named", (item) => {
    expect(() => createNetworks("trustProxy", ["loopback", item])).toThrow(
      new RangeError(`trustProxy: expected ${networkForms}, found ${JSON.stringify(item)}`),
    );
  });

  test("is none at all", () => {
    expect(() => createNetworks("trustProxy", [])).toThrow("trustProxy: expected at least one network, found none");
  });
});
