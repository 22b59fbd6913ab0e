import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../../../", import.meta.url)),
    include: ["test/judges/browser/**/*.browser.ts"],
    globalSetup: "test/judges/browser/setup.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each file starts a browser.
    maxWorkers: 2,
  },
});
