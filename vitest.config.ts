import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    // Tests mostly wait: for a peer, a timer, a process.
    maxWorkers: 4,
  },
});
