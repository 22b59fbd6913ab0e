// `manywire/client` in a browser, bundled by esbuild as applications bundle it; and EventSource, which belongs to browsers.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outputOf } from "../../support/program.js";
import { root } from "../../support/stage.js";
import { openPage, startBrowser } from "./browser.js";
import { type BuiltServer, startSecure, startTestServices } from "./server.js";

/** What the page calls: the outcome of each kind of call, in each protocol. */
const program = `
import { createClient, createTransport, protocols } from "./client/browser.ts";
import { RestService } from "./test/gen/manywire/test/rest/v1/rest_pb.ts";

async function collect(replies) {
  const texts = [];
  for await (const { text, number } of replies) texts.push(text + number);
  return texts;
}
async function* words() {
  yield { text: "a" };
  yield { text: "b" };
}
globalThis.outcomes = async () => {
  const all = [];
  for (const protocol of protocols) {
    const client = createClient(RestService, createTransport({ protocol, baseUrl: "/" }));
    const refused = await collect(client.bidiStream(words())).catch((error) => error.rawMessage);
    const missing = await client.unrouted({}).catch((error) => error.code);
    all.push([
      protocol,
      (await client.whole({ text: "x".repeat(4000) })).text.length,
      await collect(client.serverStream({ text: "s", number: 2n })),
      (await client.clientStream(words())).words,
      refused,
      missing,
    ]);
  }
  return all;
};
`;

let browser: Browser;
let bundle: string;

beforeAll(async () => {
  browser = await startBrowser();
  const esbuild = join(root, "node_modules", "esbuild", "bin", "esbuild");
  const options = ["--bundle", "--format=iife", "--platform=browser", "--log-level=error"];
  bundle = await outputOf(process.execPath, [esbuild, ...options], { stdin: program, cwd: root, limitMs: 60_000 });
}, 60_000);

afterAll(() => browser?.close());

const servers: [title: string, start: () => Promise<BuiltServer>][] = [
  ["HTTP/1.1", startTestServices],
  ["HTTP/2", () => startSecure()],
];

describe.each(servers)("a page over %s", (_, start) => {
  it("calls by every protocol, in every way that fetch allows", async () => {
    await using server = await start();
    await using watched = await openPage(browser, server.url, {
      ignoreHTTPSErrors: true,
      // What the console says of a status that is an error.
      allowed: [/Failed to load resource/],
    });
    await watched.page.evaluate(bundle);
    const outcomes = await watched.page.evaluate("outcomes()");
    const refused = "manywire.test.rest.v1.RestService/BidiStream: browsers cannot send and receive at the same time";
    const of = (protocol: string) => [protocol, 4000, ["s0", "s1"], ["a", "b"], refused, 12];
    expect(outcomes).toEqual([of("connect"), of("grpc-web"), of("rest")]);
  });

  // Chromium reconnects after 3 s.
  it("has one call of an EventSource that goes on to the end", { timeout: 20_000 }, async () => {
    await using server = await start();
    await using watched = await openPage(browser, server.url, { ignoreHTTPSErrors: true });
    const seen = await watched.page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const source = new EventSource("/v1/server-stream/a?number=2");
          const names: string[] = [];
          for (const name of ["open", "message", "end"]) source.addEventListener(name, () => names.push(name));
          source.addEventListener("error", () => {
            if (source.readyState === EventSource.CLOSED) resolve(names);
          });
        }),
    );
    expect(seen).toEqual(["open", "message", "message", "end"]);
  });
});
