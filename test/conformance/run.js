// Runs the Connect conformance suite against our server, or our client, and ends with a table of what passed.
import { spawn } from "node:child_process";
import { createWriteStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { claimedFeatures, protocolNames } from "./features.js";
import { formatFailures, parseReport } from "./report.js";
import { cacheFolder, runner, setUpSuite, suiteVersion } from "./setup.js";

const usage = `Usage: npm run test:conformance -- [options]

  --subject NAME   what is judged; repeatable
                     fast, reference: our server, with the fast lane on or off
                     client: our client
                     baseline: connect-node's server alone
                   default: fast, reference and client
  --protocol NAME  connect, grpc or grpc-web; repeatable, default: all three
  --run PATTERN    only cases with such names, for example "**/server-stream/**"; repeatable
  --parallel N     calls at the same time; default 4
  --trace          show the HTTP exchange of each failure
  --help
`;

const subjects = ["fast", "reference", "client"];
const featuresFile = join(cacheFolder, "features.json");

await main();

async function main() {
  const { values } = parseArgs({
    options: {
      subject: { type: "string", multiple: true, default: subjects },
      protocol: { type: "string", multiple: true, default: protocolNames },
      run: { type: "string", multiple: true, default: [] },
      parallel: { type: "string", default: "4" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  refuseUnknown("--subject", values.subject, [...subjects, "baseline"]);
  refuseUnknown("--protocol", values.protocol, protocolNames);
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  setUpSuite();
  writeFileSync(featuresFile, JSON.stringify({ features: claimedFeatures(values.protocol) }));
  const results = [];
  for (const subject of values.subject) {
    results.push(await judge(subject, values));
  }
  writeFileSync(join(cacheFolder, "results.json"), JSON.stringify({ suiteVersion, results }, null, 2));
  process.stdout.write(formatTable(results));
  process.exitCode = results.every(({ passed, cases }) => cases > 0 && passed === cases) ? 0 : 1;
}

/**
 * @param {string} subject
 * @param {{ run: string[], parallel: string, trace: boolean }} choice
 */
async function judge(subject, { run, parallel, trace }) {
  const isClient = subject === "client";
  const started = performance.now();
  const output = await runSuite(subject, [
    ...["--mode", isClient ? "client" : "server", "--conf", featuresFile, "--max-servers", "2"],
    ...(isClient ? [] : ["--parallel", parallel]),
    ...run.flatMap((pattern) => ["--run", pattern]),
    ...(trace ? ["--trace"] : []),
    ...["--", process.execPath, program(isClient ? "client.js" : "server.js"), isClient ? parallel : subject],
  ]);
  const report = parseReport(output);
  if (!report) {
    throw new Error(`${subject}: expected the totals of the suite, found:\n${output}`);
  }
  const { failures, ...totals } = report;
  process.stdout.write(formatFailures(failures));
  return { subject, ...totals, seconds: Math.round((performance.now() - started) / 1000) };
}

/**
 * The whole output, standard error included, also goes to a log beside the runner.
 * @param {string} subject
 * @param {string[]} args
 */
async function runSuite(subject, args) {
  const logFile = join(cacheFolder, `${subject}.log`);
  const log = createWriteStream(logFile);
  const child = spawn(runner, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  await finished(log.end());
  return readFileSync(logFile, "utf8");
}

/** @param {string} name of a file beside this one */
function program(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** @param {{ subject: string, cases: number, passed: number, failed: number, seconds: number }[]} results */
function formatTable(results) {
  const rows = results.map(({ subject, cases, passed, failed, seconds }) => [subject, cases, passed, failed, seconds]);
  const lines = [["subject", "cases", "passed", "failed", "seconds"], ...rows].map(([first, ...rest]) =>
    [String(first).padEnd(10), ...rest.map((cell) => String(cell).padStart(8))].join(""),
  );
  return `\nConnect conformance suite ${suiteVersion}\n${lines.join("\n")}\n`;
}

/**
 * @param {string} option
 * @param {string[]} found
 * @param {string[]} expected
 */
function refuseUnknown(option, found, expected) {
  const stranger = found.find((value) => !expected.includes(value));
  if (stranger !== undefined) {
    throw new Error(`${option}: expected one of ${expected.join(", ")}, found ${stranger}`);
  }
}
