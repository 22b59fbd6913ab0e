// Runs protobuf's own conformance suite against our codec, and ends with a table of what passed.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatSubjects, keepSubjects } from "../../support/subjects.js";
import { codecs } from "./codecs.js";
import { cacheFolder, setUpSuite, suiteVersion } from "./setup.js";

const usage = `Usage: npm run test:protobuf -- [options]

  --subject NAME   what is judged; repeatable
                     compiled: our codec, by the code that it makes of types
                     plans: our codec where it makes no code
                     protobuf-es: the library alone, to compare
                   default: compiled and plans
  --test NAME      only the case with this name; repeatable
  --help
`;

const limitMs = 120_000;
const testee = fileURLToPath(new URL("testee.js", import.meta.url));

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

function main() {
  const { values } = parseArgs({
    options: {
      subject: { type: "string", multiple: true, default: ["compiled", "plans"] },
      test: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.subject.find((subject) => !Object.hasOwn(codecs, subject));
  if (unknown !== undefined) {
    throw new Error(`--subject: expected one of ${Object.keys(codecs).join(", ")}, found ${unknown}`);
  }
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const command = setUpSuite();
  const results = values.subject.map((subject) => judge(command, subject, values.test));
  if (values.test.length === 0) keepSubjects(results);
  process.stdout.write(formatSubjects(`Protobuf conformance suite ${suiteVersion}`, results));
  process.exitCode = results.every(({ passed, cases }) => cases > 0 && passed === cases) ? 0 : 1;
}

/**
 * The whole output also goes to a log beside the suite.
 * @param {string[]} command
 * @param {string} subject
 * @param {string[]} tests
 */
function judge([file = "", ...args], subject, tests) {
  const started = performance.now();
  const options = ["--enforce_recommended", "--maximum_edition", "2024", "--output_dir", `${cacheFolder}/`];
  const named = tests.flatMap((name) => ["--test", name]);
  const { stderr, error } = spawnSync(file, [...args, ...options, ...named, process.execPath, testee, subject], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    timeout: limitMs,
  });
  if (error !== undefined) throw error;
  writeFileSync(join(cacheFolder, `${subject}.log`), stderr);
  for (const [line] of stderr.matchAll(/^ERROR, .*/gm)) process.stdout.write(`${line}\n`);
  return { subject, ...countCases(stderr), seconds: Math.round((performance.now() - started) / 1000) };
}

/**
 * The suite counts twice: cases of the binary format and JSON, and cases of the text format, which we do not have.
 * @param {string} output
 */
function countCases(output) {
  const [totals] = output.matchAll(
    /^CONFORMANCE SUITE \w+: (\d+) successes, (\d+) skipped, .* (\d+) unexpected fail/gm,
  );
  if (totals === undefined) throw new Error(`the suite ended without totals:\n${output}`);
  const [passed = 0, skipped = 0, failed = 0] = totals.slice(1).map(Number);
  return { cases: passed + skipped + failed, passed, failed: skipped + failed };
}
