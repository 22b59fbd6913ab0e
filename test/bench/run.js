// Measures manywire against its peers, each in a process of its own, and writes tables, JSON and a picture.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describeMachine } from "./machine.js";
import { findScenario, readTask, usage } from "./options.js";
import { endChildrenWithUs } from "./processes.js";
import { profilePeer } from "./profile.js";
import { writePage } from "./report/page.js";
import { drawPicture } from "./report/picture.js";
import * as text from "./report/text.js";
import { updateResults } from "./report/update.js";
import { root } from "./schema.js";
import { runStudy } from "./studies.js";
import { measureThroughput } from "./throughput.js";

const docs = join(root, "docs");
const write = (/** @type {string} */ line) => void process.stdout.write(line);

endChildrenWithUs();
try {
  const task = await readTask();
  if (task.kind === "help") write(usage);
  else if (task.kind === "page") writePage(docs);
  else if (task.kind === "profile") {
    write(text.formatProfile(await profilePeer(task.scenario, task.peer, task.bench)));
  } else await measureAll(task);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

/** @param {Extract<import("./options.js").Task, { kind: "measure" }>} task */
async function measureAll({ chosen, chosenStudies, isWhole, isUpdate, bench }) {
  const machine = describeMachine(bench.node);
  write(text.formatMachine(machine));
  const scenarios = [];
  for (const scenario of chosen) {
    const result = await measureThroughput(scenario, bench);
    scenarios.push(result);
    write(text.formatScenario(result));
  }
  /** @type {Partial<Record<import("./studies.js").Study["key"], any>>} */
  const found = {};
  for (const study of chosenStudies) {
    const results = await runStudy(study, findScenario("grpc-unary"), bench);
    if (results === undefined) continue;
    found[study.key] = results;
    write(study.format(results));
  }
  if (scenarios.length > 1) write(text.formatSummary(scenarios));

  const { rounds, seconds } = bench;
  const results = { date: new Date().toISOString(), ...machine, rounds, seconds, scenarios, ...found };
  const name = `bench-node${/\d+/.exec(machine.node)?.[0]}`;
  if (isUpdate) {
    const stem = join(docs, "benchmark", name);
    writeResults(stem, updateResults(JSON.parse(readFileSync(`${stem}.json`, "utf8")), results));
    writePage(docs);
  } else writeResults(join(bench.out, `${name}${isWhole ? "" : "-partial"}`), results);
}

/**
 * @param {string} stem of the names of the files
 * @param {import("./report/page.js").Results} results
 */
function writeResults(stem, results) {
  writeFileSync(`${stem}.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(`${stem}.svg`, drawPicture(results.scenarios, results));
  write(`\nWritten: ${stem}.json and .svg\n`);
}
