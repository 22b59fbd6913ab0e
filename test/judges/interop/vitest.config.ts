import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../../../", import.meta.url)),
    include: ["test/judges/interop/**/*.interop.ts"],
    globalSetup: "test/judges/interop/setup.ts",
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Tests mostly wait: for programs that start, and that are built.
    maxWorkers: 2,
  },
});
