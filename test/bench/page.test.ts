// The page of the benchmark says what was measured, and nothing else.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

interface Page {
  readResults(docs: string): object[];
  formatPage(runs: object[]): string;
}

interface Picture {
  drawPicture(results: object[], machine: object): string;
}

const { drawPicture }: Picture = await import(new URL("report/picture.js", import.meta.url).href);
const { peerNames }: { peerNames: string[] } = await import(new URL("peers/names.js", import.meta.url).href);
const { foreignVersions }: { foreignVersions(): Record<string, string> } = await import(
  new URL("peers/foreign.js", import.meta.url).href
);
const docs = fileURLToPath(new URL("../../docs", import.meta.url));
interface Readme {
  replaceSpeed(readme: string, run: object): string;
}

interface Update {
  updateResults(
    whole: object,
    part: object,
  ): Record<string, unknown> & {
    scenarios: { name: string; title: string }[];
    updates: { date: string; names: string[] }[];
  };
}

const { updateResults }: Update = await import(new URL("report/update.js", import.meta.url).href);
const { readResults, formatPage }: Page = await import(new URL("report/page.js", import.meta.url).href);

const { replaceSpeed }: Readme = await import(new URL("report/readme.js", import.meta.url).href);

test("docs/benchmark.md is what npm run bench -- --page makes of the results", () => {
  const runs = readResults(docs);
  expect(runs.length).toBeGreaterThan(0);
  expect(readFileSync(`${docs}/benchmark.md`, "utf8")).toBe(formatPage(runs));
});

test("a later run replaces what it has measured, and the page says which that is", () => {
  const scenario = (name: string, title: string) => ({ name, title, unit: "calls", peers: [] });
  const whole = { ...run, scenarios: [scenario("grpc-unary", "old"), scenario("rest", "old")], memory: [1], idle: [1] };
  const later = { ...run, date: "2026-02-03T00:00:00.000Z", scenarios: [scenario("rest", "new")], idle: [2] };
  const last = { ...run, date: "2026-02-04T00:00:00.000Z", scenarios: [scenario("proxy-rest", "new")], idle: [3] };
  const updated = updateResults(updateResults(whole, later), last);
  expect(updated.scenarios.map(({ name, title }) => `${name} ${title}`)).toEqual([
    "grpc-unary old",
    "rest new",
    "proxy-rest new",
  ]);
  expect([updated.memory, updated.idle, updated.date]).toEqual([[1], [3], run.date]);
  expect(updated.updates.map(({ date, names }) => [date.slice(0, 10), ...names])).toEqual([
    ["2026-02-03", "rest"],
    ["2026-02-04", "proxy-rest", "idle"],
  ]);
  const page = formatPage([{ ...updated, memory: undefined, idle: undefined }]);
  expect(page).toContain("In a later run, on a machine; Linux; 3 rounds of 1.5 s; 2026-02-04: `proxy-rest`, `idle`.\n");
});

const spread = (median: number) => ({ median, min: median, max: median });
const run = {
  date: "2026-01-02T03:04:05.678Z",
  node: "v20.20.2",
  machine: "a machine",
  system: "Linux",
  rounds: 3,
  seconds: 1.5,
  scenarios: [],
};

test.each([
  [
    "a ratio of processor time for tonic, in the table of gRPC",
    {
      scenarios: [
        {
          name: "grpc-unary",
          title: "gRPC unary",
          unit: "calls",
          peers: [
            { name: "fast", rates: [100], rate: spread(100), cpuUs: 8 },
            { name: "tonic", rates: [200], rate: spread(200), cpuUs: 10, ratio: spread(0.5) },
          ],
        },
      ],
    },
    ["| manywire ÷ | tonic |", "| gRPC unary | **0.50** (0.50 – 0.50) |", "| gRPC unary | 8.00 | 10.0 | 0.80 |"],
  ],
  [
    "latency at fixed rates, where they were reached",
    {
      openLoop: [
        ["fast", 20_000],
        ["grpc-js", 8000],
      ].map(([name, reached]) => ({
        ...{ name, rate: 20_000, reached: spread(Number(reached)) },
        ...{ p50Ms: spread(0.25), p99Ms: spread(1), lateP99Ms: spread(0.05) },
      })),
    },
    [
      "| manywire | 20,000 | 0.25 (0.25 – 0.25) | 1.00 (1.00 – 1.00) | 0.05 |",
      "| @grpc/grpc-js | 20,000 | not reached (8,000) | – | – |",
    ],
  ],
  [
    "what a proxy adds to latency, beside the upstream alone",
    {
      proxyLatency: [
        ["tonic", 0.5],
        ["fast", 1.25],
      ].map(([name, p99]) => ({
        ...{ name, rate: 10_000, reached: spread(10_000), p50Ms: spread(0.25), p99Ms: spread(Number(p99)) },
        lateP99Ms: spread(0.05),
      })),
    },
    [
      "| tonic alone | 10,000 | 0.25 (0.25 – 0.25) | 0.50 (0.50 – 0.50) | – |",
      "| manywire | 10,000 | 0.25 (0.25 – 0.25) | 1.25 (1.25 – 1.25) | 0.75 |",
    ],
  ],
  [
    "proxies apart from servers, with their own ratio of processor time",
    {
      scenarios: [
        {
          name: "proxy-rest",
          title: "REST through a proxy",
          unit: "calls",
          peers: [
            { name: "fast", rates: [100], rate: spread(100), cpuUs: 50 },
            { name: "grpc-gateway", rates: [50], rate: spread(50), cpuUs: 200, ratio: spread(2) },
          ],
        },
      ],
    },
    ["Calls through a proxy, before tonic", "| REST through a proxy | 50.0 | 200.0 | 0.25 |"],
  ],
  [
    "memory of idle connections",
    { idle: [{ name: "fast", connections: 2000, rssBytes: 8500, heapBytes: 7000 }] },
    ["measured with 2,000 of them", "| manywire | 8.5 | 7.0 |"],
  ],
  [
    "the codec",
    {
      codec: {
        rows: [
          {
            ...{ task: "decode", size: "2 KB", bytes: 1976, us: 8 },
            ratios: { protobufjs: 0.8, "protobuf-es": 0.2 },
          },
        ],
        firstCall: { fields: 100, binaryMs: { first: 9, median: 3 }, jsonMs: { first: 12, median: 4 } },
        memory: { api: "an.api", types: 2000, preparedBytes: 1e6, serviceBytes: 5e5, allBytes: 2e7 },
      },
    },
    [
      "| decode, 2 KB | 1,976 | 8.00 | 0.80 protobufjs | 0.20 protobuf-es | ≤ 0.9 met |",
      "The first call of a type of 100 fields takes 3.00 ms (9.00 ms for the first type of a process) as protobuf",
      "All of them, read and written, take 20,000 KB, 10 KB each.",
    ],
  ],
  [
    "processor time of clients",
    {
      clients: [
        { name: "manywire", cpuUs: spread(14) },
        { name: "grpc-js", cpuUs: spread(70), ratio: spread(5) },
      ],
    },
    ["| manywire | 14.0 (14.0 – 14.0) | – |", "| @grpc/grpc-js | 70.0 (70.0 – 70.0) | 5.00 (5.00 – 5.00) |"],
  ],
])("the page shows %s", (_, results, lines) => {
  const page = formatPage([{ ...run, ...results }]);
  for (const line of lines) expect(page).toContain(line);
});

test.each(peerNames)("the picture has a colour for %s, on light and on dark", (name) => {
  const colours = drawPicture([], run).split(`.${name} { fill: #`).length - 1;
  expect(colours).toBe(2);
});

test("the version of every foreign peer is found among the pinned ones", () => {
  const versions = Object.entries(foreignVersions());
  expect(versions.filter(([, version]) => !/^\d+\.\d+|^left out/.test(version))).toEqual([]);
  expect(versions).not.toEqual([]);
});

test("README's table of speed has the figures of the first of the results", () => {
  const [run] = readResults(docs);
  const readme = readFileSync(`${docs}/../README.md`, "utf8");
  expect(run && replaceSpeed(readme, run)).toBe(readme);
  expect(run && replaceSpeed(readme.replaceAll("0.37", "3.7"), run)).toBe(readme);
});

test("README's table of speed shows real messages beside the greeting, where they were measured", () => {
  const ratios = (name: string, ratio: number) => ({ name, peers: [{ name: "grpc-js", ratio: spread(ratio) }] });
  const table = replaceSpeed(readFileSync(`${docs}/../README.md`, "utf8"), {
    scenarios: [ratios("grpc-unary", 6.04), ratios("grpc-2kb", 123.4)],
  });
  expect(table).toContain(
    "| gRPC unary, 4 × 32 streams | – | 6.0 | – |\n| the same with books of 2 KB | – | 123 | – |\n",
  );
});
