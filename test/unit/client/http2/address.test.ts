import { expect, test } from "vitest";
import { type Address, addressOf, formatAddress, parseAddress } from "../../../../client/http2/address.js";

const tcp = (host: string, port: number): Address => ({ kind: "tcp", host, port });
const unix = (path: string): Address => ({ kind: "unix", path });

test.each<[text: string, address: Address | undefined, formatted?: string]>([
  ["localhost", tcp("localhost", 80), "localhost:80"],
  ["localhost:1", tcp("localhost", 1)],
  ["10.0.0.1:65535", tcp("10.0.0.1", 65_535)],
  ["[::1]", tcp("::1", 80), "[::1]:80"],
  ["[fe80::1]:50051", tcp("fe80::1", 50_051)],
  ["unix:/a b", unix("/a b")],
  ["unix:///a", unix("/a"), "unix:/a"],
  ["unix:a", unix("a")],
  ["", undefined],
  ["a:", undefined],
  ["a:0", undefined],
  ["a:65536", undefined],
  ["a:100000", undefined],
  ["a:1:2", undefined],
  ["::1", undefined],
  ["[x]", undefined],
  ["http://a", undefined],
  ["user@a", undefined],
  ["a?b", undefined],
])("the address %s is %j", (text, address, formatted = text) => {
  expect(parseAddress(text, 80)).toEqual(address);
  if (address !== undefined) expect(formatAddress(address)).toBe(formatted);
});

test.each([
  [{ url: "http://a", isTls: false }, tcp("a", 80)],
  [{ url: "https://a", isTls: true }, tcp("a", 443)],
  [{ url: "https://[::1]:1/path", isTls: true }, tcp("::1", 1)],
  [{ url: "http://localhost", isTls: false, socketPath: "/a" }, unix("/a")],
])("the address of %j is %j", (endpoint, address) => {
  expect(addressOf(endpoint)).toEqual(address);
});
