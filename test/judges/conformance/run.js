// Runs the Connect conformance suite against our server, or our client, and ends with a table of what passed.
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatSubjects, keepSubjects } from "../../support/subjects.js";
import { claimedFeatures, protocolNames, proxyClientFeatures } from "./features.js";
import { formatFailures, parseReport } from "./report.js";
import { cacheFolder, runner, setUpSuite, suiteVersion } from "./setup.js";

const usage = `Usage: npm run test:conformance -- [options]

  --subject NAME   what is judged; repeatable
                     fast, reference: our server, with the fast lane on or off
                     node-http2: our server on Node's HTTP/2
                     proxy: our server before the suite's own, which gets all calls as gRPC
                     proxy-decode: the same, where every message is decoded and encoded again
                     proxy-grpcserver: as proxy, before the suite's server on grpc-go
                     client: our client
                     proxy-client: our server between the suite's own client, which calls it over gRPC, gRPC-Web, Connect
                       and Connect with JSON, and the suite's own servers, which misbehave; --protocol does not apply
                     baseline: connect-node's server alone
                   default: all but baseline, proxy-decode and proxy-grpcserver
  --protocol NAME  connect, grpc or grpc-web; repeatable, default: all three
  --run PATTERN    only cases with such names, for example "**/server-stream/**"; repeatable
  --skip PATTERN   no cases with such names; repeatable
  --parallel N     calls at the same time; default 4
  --trace          show the HTTP exchange of each failure
  --help
`;

const subjects = ["fast", "reference", "node-http2", "proxy", "client", "proxy-client"];
/** Subjects that are judged only where they are named. */
const subjectsByName = ["proxy-decode", "proxy-grpcserver", "baseline"];
/** What a subject's upstream does not have: no method IdempotentUnary. @type {Record<string, string[]>} */
const absent = { "proxy-grpcserver": ["Connect with GET/**"] };
/** How the suite's client calls a proxy. */
const fronts = ["grpc", "grpc-web", "connect", "connect-json"];
const featuresFile = join(cacheFolder, "features.json");
const proxyClientFile = join(cacheFolder, "proxy-client-features.json");
/** The longest delays of the suite are of a few seconds. */
const stallMs = 60_000;

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

/** The scripts import what `setUpSuite` generates, so their types can be checked only now. */
function checkTypes() {
  const folder = dirname(fileURLToPath(import.meta.url));
  execFileSync(join(folder, "../../../node_modules/.bin/tsc"), ["-p", folder], { stdio: "inherit" });
}

async function main() {
  const { values } = parseArgs({
    options: {
      subject: { type: "string", multiple: true, default: subjects },
      protocol: { type: "string", multiple: true, default: protocolNames },
      run: { type: "string", multiple: true, default: [] },
      skip: { type: "string", multiple: true, default: [] },
      parallel: { type: "string", default: "4" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  refuseUnknown("--subject", values.subject, [...subjects, ...subjectsByName]);
  refuseUnknown("--protocol", values.protocol, protocolNames);
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  setUpSuite();
  checkTypes();
  writeFileSync(featuresFile, JSON.stringify({ features: claimedFeatures(values.protocol) }));
  writeFileSync(proxyClientFile, JSON.stringify({ features: proxyClientFeatures }));
  const results = [];
  for (const subject of values.subject.flatMap(withFronts)) {
    results.push(await judge(subject, values));
  }
  if (isWhole(values)) keepSubjects(results);
  process.stdout.write(formatSubjects(`Connect conformance suite ${suiteVersion}`, results));
  process.exitCode = results.every(({ passed, cases }) => cases > 0 && passed === cases) ? 0 : 1;
}

/** @param {{ protocol: string[], run: string[], skip: string[] }} choice */
function isWhole({ protocol, run, skip }) {
  return protocol.length === protocolNames.length && run.length + skip.length === 0;
}

/** @param {string} subject */
function withFronts(subject) {
  return subject === "proxy-client" ? fronts.map((front) => `${subject}-${front}`) : [subject];
}

/**
 * What the suite judges a subject by: the features that it makes its cases from, and the program that it starts.
 * @param {string} subject
 * @param {string} parallel
 */
function planOf(subject, parallel) {
  const front = fronts.find((front) => subject === `proxy-client-${front}`);
  if (front !== undefined) {
    return { mode: "client", features: proxyClientFile, command: [program("proxy-client.js"), front, parallel] };
  }
  if (subject === "client") {
    return { mode: "client", features: featuresFile, command: [program("client.js"), parallel] };
  }
  return { mode: "server", features: featuresFile, command: [program("server.js"), subject] };
}

/**
 * @param {string} subject
 * @param {{ run: string[], skip: string[], parallel: string, trace: boolean }} choice
 */
async function judge(subject, { run, skip, parallel, trace }) {
  const { mode, features, command } = planOf(subject, parallel);
  const started = performance.now();
  const output = await runSuite(subject, [
    ...["--mode", mode, "--conf", features, "--max-servers", "2", "--vv"],
    ...(mode === "client" ? [] : ["--parallel", parallel]),
    ...run.flatMap((pattern) => ["--run", pattern]),
    ...[...skip, ...(absent[subject] ?? [])].flatMap((pattern) => ["--skip", pattern]),
    ...(trace ? ["--trace"] : []),
    ...["--", process.execPath, ...command],
  ]);
  const report = parseReport(output);
  const { failures, ...totals } = report;
  process.stdout.write(formatFailures(failures));
  return { subject, ...totals, seconds: Math.round((performance.now() - started) / 1000) };
}

/**
 * The whole output, standard error included, also goes to a log beside the runner. The suite waits for ever for a call that
 * never gets a response; here it ends after a time without output.
 * @param {string} subject
 * @param {string[]} args
 */
async function runSuite(subject, args) {
  const log = createWriteStream(join(cacheFolder, `${subject}.log`));
  // A process group of its own: killing the runner alone would leave its servers behind.
  const child = spawn(runner, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const killAll = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
  const stalled = setTimeout(killAll, stallMs);
  /** @type {Buffer[]} */
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      chunks.push(chunk);
      log.write(chunk);
      stalled.refresh();
    });
  }
  process.once("SIGINT", killAll).once("SIGTERM", killAll);
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  process.off("SIGINT", killAll).off("SIGTERM", killAll);
  clearTimeout(stalled);
  await finished(log.end());
  return Buffer.concat(chunks).toString();
}

/** @param {string} name of a file beside this one */
function program(name) {
  return fileURLToPath(new URL(name, import.meta.url));
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
