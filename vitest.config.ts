import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Where the machine is busy, a test that starts processes takes half of that.
    testTimeout: 60_000,
    // Tests mostly wait: for a peer, a timer, a process.
    maxWorkers: 4,
  },
});
