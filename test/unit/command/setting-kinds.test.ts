import { describe, expect, it } from "vitest";
import {
  choice,
  countedBy,
  duration,
  type Kind,
  megabytes,
  names,
  origins,
  rate,
  size,
  switchOff,
  switchOn,
  text,
  wholeNumber,
} from "../../../server/command/setting-kinds.js";

type Case = [text: string, value: unknown, shown?: string];

const kinds: [name: string, kind: Kind<unknown>, cases: Case[]][] = [
  [
    "a whole number",
    wholeNumber(0, 65_535),
    [
      ["0", 0],
      ["65535", 65_535],
      ["007", 7, "7"],
      ["65536", undefined],
      ["-1", undefined],
      ["1e3", undefined],
      ["1.5", undefined],
      ["0x10", undefined],
      [" 1", undefined],
      ["", undefined],
    ],
  ],
  [
    "a time",
    duration(),
    [
      ["0", 0],
      ["500ms", 500],
      ["10s", 10_000],
      ["1.5s", 1500, "1500ms"],
      ["60s", 60_000, "1m"],
      ["90s", 90_000],
      ["2h", 7_200_000],
      ["2147483647ms", 2_147_483_647],
      // One more would fire at once in Node.
      ["2147483648ms", undefined],
      ["1.5ms", undefined],
      // Seconds to some, milliseconds to others.
      ["30", undefined],
      ["10 s", undefined],
      ["10S", undefined],
      ["1d", undefined],
      ["-1s", undefined],
      ["s", undefined],
      ["", undefined],
      ["1constructor", undefined],
    ],
  ],
  [
    "a time above none",
    duration(1),
    [
      ["1ms", 1],
      ["0", undefined],
      ["0s", undefined],
    ],
  ],
  [
    "a size",
    size(),
    [
      ["1", 1, "1B"],
      ["65536", 65_536, "64KiB"],
      ["16KiB", 16_384],
      ["4MiB", 4_194_304],
      ["0.5KiB", 512, "512B"],
      ["1GiB", 2 ** 30],
      ["1MB", 1_000_000],
      ["3KB", 3000],
      ["7B", 7],
      ["2GiB", undefined],
      ["0", undefined],
      ["0.3B", undefined],
      ["4mib", undefined],
      ["4M", undefined],
      ["", undefined],
    ],
  ],
  [
    "whole megabytes",
    megabytes,
    [
      ["64MB", 64],
      ["1GB", 1000, "1000MB"],
      ["1.5MB", undefined],
      ["64MiB", undefined],
      ["64", undefined],
    ],
  ],
  [
    "a word",
    choice("auto", "json"),
    [
      ["json", "json"],
      ["JSON", undefined],
      ["", undefined],
      ["toString", undefined],
    ],
  ],
  [
    "a text",
    text("file"),
    [
      ["a b", "a b"],
      ["", undefined],
    ],
  ],
  [
    "a switch",
    switchOff,
    [
      ["true", false, ""],
      ["1", false, ""],
      ["false", true, ""],
      ["0", true, ""],
      ["yes", undefined],
      ["", undefined],
      ["constructor", undefined],
    ],
  ],
  [
    "a switch that turns on",
    switchOn,
    [
      ["true", true, ""],
      ["1", true, ""],
      ["false", false, ""],
      ["0", false, ""],
      ["yes", undefined],
      ["", undefined],
    ],
  ],
  [
    "names",
    names("names", /^\w+$/),
    [
      ["a", ["a"]],
      ["a,b", ["a", "b"]],
      ["a, b ", ["a", "b"], "a,b"],
      ["", undefined],
      ["a,", undefined],
      [",a", undefined],
      ["a b", undefined],
    ],
  ],
  [
    "origins",
    origins,
    [
      ["*", ["*"]],
      ["http://localhost:5173", ["http://localhost:5173"]],
      ["https://a.com, https://*.a.com", ["https://a.com", "https://*.a.com"], "https://a.com,https://*.a.com"],
      ["", undefined],
      ["https://a.com,", undefined],
      ["a.com", undefined],
    ],
  ],
  [
    "a rate",
    rate,
    [
      ["100/s", { points: 100, durationSeconds: 1 }],
      ["50/10s", { points: 50, durationSeconds: 10 }],
      ["1/m", { points: 1, durationSeconds: 60 }],
      ["1000/h", { points: 1000, durationSeconds: 3600 }],
      ["5/2m", { points: 5, durationSeconds: 120 }, "5/120s"],
      ["0/s", undefined],
      ["1/0s", undefined],
      ["100", undefined],
      ["100/", undefined],
      ["100/ms", undefined],
      ["1.5/s", undefined],
      ["-1/s", undefined],
      ["100 / s", undefined],
      ["9999999999/s", undefined],
    ],
  ],
  [
    "a key of rate limits",
    countedBy,
    [
      ["peer", "peer"],
      ["principal", "principal"],
      ["header:x-api-key", { header: "x-api-key" }],
      ["header:", undefined],
      ["header:a b", undefined],
      ["x-api-key", undefined],
    ],
  ],
];

describe.each(kinds)("%s", (_, kind, cases) => {
  it.each(cases)("reads %j as %j", (given, value) => {
    expect(kind.parse(given)).toEqual(value);
  });

  const readable = cases.filter(([, value]) => value !== undefined);
  it.each(readable)("shows %j, which is %j, as one would write it", (given, value, shown = given) => {
    expect(kind.format(value)).toBe(shown);
  });
});

it("says what each kind expects", () => {
  expect(kinds.map(([, kind]) => kind.expected)).toEqual([
    "a whole number from 0 to 65535",
    "a time with its unit, such as 500ms, 10s or 2m, or 0",
    "a time with its unit, such as 500ms, 10s or 2m",
    "a size such as 4096, 16KiB or 4MiB, below 2GiB",
    "a size in whole MB, such as 64MB",
    "auto or json",
    "a file",
    "true or false",
    "true or false",
    "names with commas between",
    "origins such as https://app.example.com or https://*.example.com, or *",
    "a number of calls and a time, such as 100/s, 50/10s or 1000/h",
    "peer, principal or the name of a header, such as header:x-api-key",
  ]);
});
