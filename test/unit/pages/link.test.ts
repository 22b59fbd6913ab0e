import { describe, expect, it } from "vitest";
import { addEntry, type HistoryEntry, parseEntries } from "../../../server/pages/browser/call-history.js";
import { formatLink, parseLink, type SavedCall } from "../../../server/pages/browser/link.js";

const call: SavedCall = {
  method: "a.b.Service.Method",
  protocol: "grpc-web",
  route: 2,
  deadline: "500",
  request: '{\n  "name": "Zoë & #?=%"\n}',
};

describe("a link", () => {
  it.each([call, { ...call, route: 0, deadline: "", request: "" }])("carries %j", (saved) => {
    expect(parseLink(new URL(formatLink(saved), "http://a/").hash)).toEqual({ id: saved.method, call: saved });
  });

  it.each([
    ["", { id: "", call: undefined }],
    ["#a.b.Service", { id: "a.b.Service", call: undefined }],
    ["#a?route=-1", { id: "a", call: { method: "a", protocol: "", route: 0, deadline: "", request: "" } }],
    ["#a?request=%ff", { id: "a", call: { method: "a", protocol: "", route: 0, deadline: "", request: "\ufffd" } }],
  ])("%j is read as far as it can be", (fragment, expected) => {
    expect(parseLink(fragment)).toEqual(expected);
  });
});

describe("the history", () => {
  const entry = (request: string, status = "200"): HistoryEntry => {
    return { ...call, request, status, isOk: true, durationMs: 1 };
  };

  it("has the newest call first, and each once", () => {
    const entries = ["a", "b", "a"].reduce<HistoryEntry[]>((all, request) => addEntry(all, entry(request)), []);
    expect(entries.map(({ request }) => request)).toEqual(["a", "b"]);
    expect(addEntry(entries, entry("b", "404")).map(({ status }) => status)).toEqual(["404", "200"]);
  });

  it("has 50 calls, none of them with a long request", () => {
    let entries: HistoryEntry[] = [];
    for (let index = 0; index < 60; index++) entries = addEntry(entries, entry(String(index)));
    expect([entries.length, entries[0]?.request, entries.at(-1)?.request]).toEqual([50, "59", "10"]);
    expect(addEntry(entries, entry("x".repeat(50_001)))).toEqual(entries);
  });

  it.each([
    [JSON.stringify([entry("a")]), [entry("a")]],
    [JSON.stringify([entry("a"), null, 1, {}, { ...entry("b"), route: "0" }]), [entry("a")]],
    ["{}", []],
    ["[", []],
    [undefined, []],
  ])("%j is read as far as it is one", (text, expected) => {
    expect(parseEntries(text)).toEqual(expected);
  });
});
