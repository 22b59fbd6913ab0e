// Prometheus, as Debian has it, reads what we serve: promtool checks the metrics, a server scrapes them, and every query of the
// dashboard in docs/grafana finds what it asks for.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, type Server } from "../../../server/index.js";
import { createMetrics } from "../../../server/operate/metrics/index.js";
import { freePort } from "../../support/free-port.js";
import { hasProgram, outputOf, run } from "../../support/program.js";
import { startServer, type TestServer } from "../../support/server.js";
import { openWay, testRules, ways } from "../../support/ways.js";
import { root } from "./cache.js";

// In CI a missing program is a failure.
const isSkipped = process.env.CI === undefined && !hasProgram("promtool");
const note = isSkipped ? " (skipped: promtool is not on the PATH)" : "";

let upstream: TestServer;
let proxy: Server;
let folder: string;

beforeAll(async () => {
  if (isSkipped) return;
  folder = await mkdtemp(join(tmpdir(), "manywire-prometheus-"));
  upstream = await startServer();
  const metrics = createMetrics();
  proxy = createServer({
    port: 0,
    routes: () => {},
    upstreams: [{ url: upstream.url }],
    httpRules: testRules,
    onCall: metrics.observer,
    fallback: metrics.fallback,
  });
  await metrics.watch(proxy).listen();
  while (!proxy.health.isServing()) await delay(5);
  await call();
});

afterAll(async () => {
  if (isSkipped) return;
  await proxy.close();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Calls over every protocol, which succeed and fail. */
async function call(): Promise<void> {
  for (const way of Object.values(ways)) {
    using open = openWay(proxy.url, way);
    await open.client.unary({ text: "a" });
    await open.client.unary({ failure: { code: Code.Internal } }).catch(() => {});
    for await (const _ of open.client.serverStream({ count: 2 }));
  }
}

/** Calls again and again, until it is stopped. */
function repeatCalls(): { stop(): Promise<void> } {
  let isStopped = false;
  const calls = (async () => {
    while (!isStopped) {
      await call();
      await delay(300);
    }
  })();
  return {
    stop() {
      isStopped = true;
      return calls;
    },
  };
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

/** The queries of the dashboard, with values for its variables, by the titles of their panels. */
async function readQueries(): Promise<[title: string, query: string][]> {
  const { panels }: Dashboard = JSON.parse(await readFile(join(root, "docs/grafana/manywire.json"), "utf8"));
  const fill = (query: string) => query.replaceAll("$__rate_interval", "4s").replaceAll(/\$(?!__)\w+/g, ".*");
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, fill(expr)]));
}

describe.skipIf(isSkipped)(`promtool${note}`, () => {
  it("finds nothing wrong with the metrics", async () => {
    const text = await (await fetch(`${proxy.url}/metrics`)).text();
    expect(text.length).toBeGreaterThan(10_000);
    expect(await run("promtool", ["check", "metrics"], { stdin: text })).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("does find what is wrong", async () => {
    const { code, stderr } = await run("promtool", ["check", "metrics"], { stdin: "# TYPE a counter\na 1\n" });
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining("_total")]);
  });

  it("parses every query of the dashboard", async () => {
    const queries = await readQueries();
    expect(queries.length).toBeGreaterThan(25);
    const rules = queries.map(([, expr], index) => ({ record: `query:${index}`, expr }));
    const file = join(folder, "rules.json");
    await writeFile(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    expect(await outputOf("promtool", ["check", "rules", file])).toContain(`SUCCESS: ${queries.length} rules found`);
  });
});

describe.skipIf(isSkipped)(`Prometheus${note}`, () => {
  it("scrapes the metrics, and finds something for every query of the dashboard", { timeout: 60_000 }, async () => {
    const port = await freePort();
    await using _ = await startPrometheus(port);
    const query = async (text: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`);
      const { status, data, error } = (await response.json()) as QueryResponse;
      return status === "success" ? data.result.length : `${text}: ${error}`;
    };
    // Rates need several scrapes, and calls between them.
    await expect.poll(() => query("count_over_time(up[1m]) > 2 and up == 1"), { timeout: 20_000 }).toBe(1);
    const calls = repeatCalls();
    const queries = await readQueries();
    const empty = async () => {
      const results = await Promise.all(
        queries.map(async ([title, text]) => ({ title, found: await query(text), text })),
      );
      // What does not happen has no series where a query says `> 0`.
      return results.filter(({ found, text }) => found === 0 && !/manywire_refused_total.*> 0$/.test(text));
    };
    await expect.poll(empty, { timeout: 20_000 }).toEqual([]);
    await calls.stop();
    expect(
      (await Promise.all(queries.map(([, text]) => query(text)))).filter((found) => typeof found === "string"),
    ).toEqual([]);
  });
});

interface QueryResponse {
  readonly status: "success" | "error";
  readonly data: { readonly result: readonly unknown[] };
  readonly error?: string;
}

/** A Prometheus that scrapes once a second. It prefers OpenMetrics. */
async function startPrometheus(port: number): Promise<AsyncDisposable> {
  const file = join(folder, "prometheus.yml");
  const targets = [{ targets: [new URL(proxy.url).host] }];
  // JSON is YAML.
  await writeFile(
    file,
    JSON.stringify({
      global: { scrape_interval: "1s" },
      scrape_configs: [{ job_name: "manywire", static_configs: targets }],
    }),
  );
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, "data")}`, "--log.level=error"];
  const child = spawn("prometheus", [...args, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exited = once(child, "exit");
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.status === 200;
  await expect.poll(isReady, { timeout: 20_000 }).toBe(true);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
