// Load by wrk: as many calls over HTTP/1.1 as fit into a time.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../processes.js";
import { cacheFolder } from "../schema.js";
import { slackOf } from "./slack.js";

const script = fileURLToPath(new URL("wrk.lua", import.meta.url));

/** @type {import("./load.js").Measure} */
export async function measureByWrk({ scenario, call, url, answer }, { seconds }) {
  const { connections } = scenario.load;
  const file = join(cacheFolder, "request.bin");
  writeFileSync(file, call.body);
  const headers = Object.entries(call.headers).map(([name, value]) => `${name}: ${value}`);
  const output = await run(
    "wrk",
    ["-t", "1", "-c", `${connections}`, "-d", `${Math.ceil(seconds)}s`, "-s", script, `${url}${call.path}`],
    {
      env: { BENCH_BODY: file, BENCH_HEADERS: headers.join("\n") },
      timeout: 60_000 + seconds * 1000,
      install: "on Debian: apt-get install wrk",
    },
  );
  const { calls, micros, bytes, errors } = parseResult(output);
  if (errors > 0) throw new Error(`wrk: expected no error, found ${errors}\n${output}`);
  // An error of gRPC-Web is a 200 too, but of another length. Each connection may have read a part of its last response.
  const slack = slackOf(answer);
  if (bytes < calls * answer.bytes * (1 - slack) || bytes > (calls + connections) * answer.bytes * (1 + slack)) {
    throw new Error(`wrk: expected ${calls} answers of ${answer.bytes} bytes each, found ${bytes} bytes\n${output}`);
  }
  return { calls, rate: (calls / micros) * 1e6 };
}

/** @param {string} output whose last line comes from wrk.lua */
function parseResult(output) {
  const line = /^result (\d+) (\d+) (\d+) (\d+)$/m.exec(output);
  if (line === null) throw new Error(`wrk: expected a result, found\n${output}`);
  const [calls = 0, micros = 0, bytes = 0, errors = 0] = line.slice(1).map(Number);
  return { calls, micros, bytes, errors };
}
