import { expect, onTestFinished, test, vi } from "vitest";
import { createReport } from "../../../server/operate/report.js";

function watchWarnings() {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  return warn;
}

test("errors go to the application's report", () => {
  const warn = watchWarnings();
  const calls: unknown[] = [];
  const report = createReport((error, step) => calls.push([error.message, step]));
  report(new Error("a"), "observer");
  report(new Error("b"), "http/2");
  expect(calls).toEqual([
    ["a", "observer"],
    ["b", "http/2"],
  ]);
  expect(warn).not.toHaveBeenCalled();
});

test("without a report, errors of the application's callbacks are warnings of the process", () => {
  const warn = watchWarnings();
  const error = new Error("a");
  for (const step of ["handler", "observer", "abort listener", "error shape", "http/2", "accept"]) {
    createReport(undefined)(error, step);
  }
  expect(warn.mock.calls).toEqual(Array(4).fill([error]));
});

test.each([new Error("broken"), "broken"])("what a report throws is a warning of the process: %s", (reason) => {
  const warn = watchWarnings();
  const report = createReport(() => {
    throw reason;
  });
  report(new Error("a"), "http/2");
  expect(warn.mock.calls).toEqual([[new Error("broken")]]);
});
