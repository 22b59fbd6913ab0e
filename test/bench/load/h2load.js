// Load by h2load, of nghttp2: a number of calls over HTTP/2, as fast as they get responses.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../processes.js";
import { cacheFolder } from "../schema.js";
import { slackOf } from "./slack.js";

/** @type {import("./load.js").Measure} */
export async function measureByH2load({ scenario, call, url, answer }, { seconds, rate }) {
  const { connections, streams } = scenario.load;
  const calls = Math.max(connections * streams, Math.round(rate * seconds));
  const report = await runH2load({
    connections,
    streams,
    calls,
    call,
    url,
    bodyBytes: Buffer.byteLength(answer.body, "base64"),
    slack: slackOf(answer),
  });
  return { calls, rate: report };
}

/**
 * @param {{ connections: number, streams: number, calls: number, call: import("../prepare.js").Call, url: string,
 *   bodyBytes: number, slack: number }} options bytes of each response's body
 * @returns {Promise<number>} calls a second
 * @throws {Error} unless every call got a response, with the right status and number of bytes
 */
async function runH2load({ connections, streams, calls, call, url, bodyBytes, slack }) {
  const file = join(cacheFolder, "request.bin");
  writeFileSync(file, call.body);
  const output = await run(
    "h2load",
    [
      ...["-n", `${calls}`, "-c", `${connections}`, "-m", `${streams}`, "-d", file],
      ...Object.entries(call.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      `${url}${call.path}`,
    ],
    { timeout: 120_000, install: "on Debian: apt-get install nghttp2-client" },
  );
  const expected = [
    `${calls} total, ${calls} started, ${calls} done, ${calls} succeeded, 0 failed, 0 errored, 0 timeout`,
    `status codes: ${calls} 2xx, 0 3xx, 0 4xx, 0 5xx`,
  ];
  const missing = expected.find((text) => !output.includes(text));
  const rate = /^finished in .*, ([\d.]+) req\/s/m.exec(output)?.[1];
  // An error of gRPC is a 200 too, but without the message.
  const found = Number(/ \((\d+)\) data$/m.exec(output)?.[1]);
  if (!(Math.abs(found / (calls * bodyBytes) - 1) <= slack)) {
    throw new Error(`h2load: expected ${calls * bodyBytes} bytes of data, found\n${output}`);
  }
  if (missing !== undefined || rate === undefined) throw new Error(`h2load: expected "${missing}", found\n${output}`);
  return Number(rate);
}
