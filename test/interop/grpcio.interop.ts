// Python's grpcio calls us: the tests of the folder `python`, against every kind of server.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { outputOf } from "../foreign/program.js";
import { startTarget, startTargetForTest, targets } from "../foreign/target.js";
import { environmentFor, registerTests } from "./foreign-tests.js";
import { python, stubs } from "./tools.js";

const folder = fileURLToPath(new URL("python/", import.meta.url));
const environment = { ...process.env, PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: "1", GRPC_VERBOSITY: "NONE" };

await registerTests("grpcio", { command: python, args: [`${folder}run.py`], env: environment });

describe.each(targets)("grpcio, %s", (_, options) => {
  it("loses no call when another server takes the port over", async () => {
    const first = await startTarget(options);
    let end = () => {};
    const stdin = new Promise<void>((resolve) => {
      end = resolve;
    });
    const calls = outputOf(python, [`${folder}keep_calling.py`], {
      env: { ...environment, ...environmentFor(first, options) },
      stdin,
    });
    await expect.poll(() => first.finished.length, { timeout: 10_000 }).toBeGreaterThan(100);
    await first.server.close();
    const second = await startTargetForTest({ ...options, port: Number(new URL(first.url).port) });
    await expect.poll(() => second.finished.length, { timeout: 10_000 }).toBeGreaterThan(100);
    end();
    expect(JSON.parse(await calls)).toEqual({ OK: first.finished.length + second.finished.length });
  });
});
