// Python's grpcio calls us: the tests of the folder `python`, against every kind of server.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outputOf, run } from "../foreign/program.js";
import {
  certificateFiles,
  startTarget,
  startTargetForTest,
  type Target,
  type TargetOptions,
  targets,
} from "../foreign/target.js";
import { python, stubs } from "./tools.js";

const folder = fileURLToPath(new URL("python/", import.meta.url));
const environment = { ...process.env, PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: "1", GRPC_VERBOSITY: "NONE" };

/** Tells the Python programs which server to call. */
function environmentFor({ authority }: Target, { security }: TargetOptions): NodeJS.ProcessEnv {
  const named = { ...environment, TARGET_ADDRESS: authority };
  if (security === "plaintext") return named;
  const { client, clientKey } = certificateFiles;
  return { ...named, TARGET_CA: certificateFiles.authority, TARGET_CERT: client, TARGET_KEY: clientKey };
}

const titles: string[] = JSON.parse(await outputOf(python, [`${folder}run.py`, "--list"], { env: environment }));
const mutual: [string, TargetOptions] = ["fast lane, mutual TLS", { lane: "fast", security: "mutual TLS" }];

describe.each([...targets, mutual])("grpcio, %s", (_, options) => {
  let target: Target;
  const outcomes = new Map<string, string[]>();

  beforeAll(async () => {
    target = await startTarget(options);
    const env = environmentFor(target, options);
    const { stdout, stderr } = await run(python, [`${folder}run.py`], { env, limitMs: 100_000 });
    process.stderr.write(stderr);
    for (const line of stdout.trim().split("\n")) {
      const { title, errors } = JSON.parse(line);
      outcomes.set(title, errors);
    }
  });
  afterAll(() => target.server.close());

  it.each(titles)("%s", (title) => {
    expect(outcomes.get(title)).toEqual([]);
  });
});

describe.each(targets)("grpcio, %s", (_, options) => {
  it("loses no call when another server takes the port over", async () => {
    const first = await startTarget(options);
    let end = () => {};
    const stdin = new Promise<void>((resolve) => {
      end = resolve;
    });
    const calls = outputOf(python, [`${folder}keep_calling.py`], { env: environmentFor(first, options), stdin });
    await expect.poll(() => first.finished.length, { timeout: 10_000 }).toBeGreaterThan(100);
    await first.server.close();
    const second = await startTargetForTest({ ...options, port: Number(new URL(first.url).port) });
    await expect.poll(() => second.finished.length, { timeout: 10_000 }).toBeGreaterThan(100);
    end();
    expect(JSON.parse(await calls)).toEqual({ OK: first.finished.length + second.finished.length });
  });
});
