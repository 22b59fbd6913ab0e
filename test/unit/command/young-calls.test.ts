import { expect, test } from "vitest";
import { youngCallsFlag } from "../../../server/command/young-calls.js";
import { outputOf } from "../../support/program.js";

test("the flag is one that this version of V8 knows", async () => {
  expect(await outputOf(process.execPath, [youngCallsFlag, "--print", "1"])).toBe("1\n");
  await expect(outputOf(process.execPath, ["--no-such-flag", "--print", "1"])).rejects.toThrow("bad option");
});
