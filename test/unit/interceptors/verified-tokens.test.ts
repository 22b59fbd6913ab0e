import { expect, test } from "vitest";
import { VerifiedTokens } from "../../../server/interceptors/verified-tokens.js";

test("keeps the tokens that were used last", () => {
  const tokens = new VerifiedTokens<string>(2, () => 0);
  for (const token of ["a", "b"]) tokens.add(token, { claims: token, untilMs: 1 });
  expect(tokens.get("a")).toBe("a");
  tokens.add("c", { claims: "c", untilMs: 1 });
  expect(["a", "b", "c"].map((token) => tokens.get(token))).toEqual(["a", undefined, "c"]);
});

test("drops a token when its time is over", () => {
  let nowMs = 0;
  const tokens = new VerifiedTokens<string>(2, () => nowMs);
  tokens.add("a", { claims: "a", untilMs: 1000 });
  nowMs = 999;
  expect(tokens.get("a")).toBe("a");
  nowMs = 1000;
  expect(tokens.get("a")).toBeUndefined();
  nowMs = 0;
  expect(tokens.get("a")).toBeUndefined();
});

test.each([
  ["a number of 0", 0, "a"],
  ["a long token", 2, "a".repeat(4097)],
])("keeps nothing of %s", (_, maxCount, token) => {
  const tokens = new VerifiedTokens<string>(maxCount, () => 0);
  tokens.add(token, { claims: "a", untilMs: 1 });
  expect(tokens.get(token)).toBeUndefined();
});
