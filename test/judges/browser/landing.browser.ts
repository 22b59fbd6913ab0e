import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage, startBrowser } from "./browser.js";
import { call, linesOf, openMethod, outcomesOf, requestOf, startCall } from "./landing-page.js";
import { type BuiltServer, startGreeter, startSecure, startTestServices } from "./server.js";

let browser: Browser;
let greeter: BuiltServer;
let tests: BuiltServer;

beforeAll(async () => {
  [browser, greeter, tests] = await Promise.all([startBrowser(), startGreeter(), startTestServices()]);
});

afterAll(async () => {
  await browser?.close();
  await greeter?.[Symbol.asyncDispose]();
  await tests?.[Symbol.asyncDispose]();
});

const figures = (out: number, into: number) =>
  expect.stringMatching(new RegExp(`^${out} B out · ${into} B in · \\d+\\.\\d ms$`));
const testService = "manywire.test.v1.TestService";
const restService = "manywire.test.rest.v1.RestService";

/** Chromium tells of every response over 399 in its console. */
const failedResponse = /^Failed to load resource: the server responded with a status of \d+/;

describe("the Greeter's page", () => {
  it.each([
    ["SayHello", "Hello, Ada!", 14, 25],
    // Its route has all of the request in the path.
    ["SayHelloAgain", "Hello, Ada Again!", 0, 31],
  ])("calls %s over each protocol, and shows answer, status, bytes and time", async (name, message, out, into) => {
    await using opened = await openPage(browser, greeter.url);
    const answer = `{\n  "message": "${message}"\n}`;
    expect(await call(opened.page, `hello_world.Greeter.${name}`, { name: "Ada" })).toEqual({
      REST: { status: "200", figures: figures(out, into), answer },
      Connect: { status: "200", figures: figures(14, into), answer },
      "gRPC-Web": { status: "0 OK", figures: figures(19, into + 26), answer },
    });
  });

  it("says who serves it, and what the proto says of it", async () => {
    await using opened = await openPage(browser, greeter.url);
    expect(await opened.page.locator(".base").innerText()).toBe(greeter.url);
    expect(await opened.page.getByRole("heading", { level: 2 }).first().innerText()).toBe("hello_world.Greeter");
    expect(await opened.page.getByRole("heading", { level: 3 }).first().innerText()).toBe("SayHello");
    expect(await opened.page.getByText("Greets people by name.").isVisible()).toBe(true);
    expect(await opened.page.getByText('Sends a greeting: "Hello, {name}!".').isVisible()).toBe(true);
  });

  it("can be read without its script", async () => {
    await using opened = await openPage(browser, greeter.url, { javaScriptEnabled: false });
    await opened.page.getByText("SayHelloAgain").click();
    expect(await opened.page.getByText("GET /v1/example/echo/{name}").isVisible()).toBe(true);
    expect(opened.requests.filter((url) => url.endsWith(".js"))).toEqual([]);
  });

  it("opens the method that its address names, also among those for tools", async () => {
    await using opened = await openPage(browser, `${greeter.url}/#grpc.health.v1.Health.Check`);
    const check = opened.page.locator('details[id="grpc.health.v1.Health.Check"]');
    expect(await check.locator(".workbench").isVisible()).toBe(true);
    expect(await call(opened.page, "grpc.health.v1.Health.Check", {})).toMatchObject({
      Connect: { status: "200", answer: '{\n  "status": "SERVING"\n}' },
      "gRPC-Web": { status: "0 OK" },
    });
  });
});

describe("what is to be copied", () => {
  it("follows what is typed", async () => {
    await using opened = await openPage(browser, greeter.url);
    const method = await openMethod(opened.page, "hello_world.Greeter.SayHelloAgain");
    await requestOf(method).fill('{"name": "Zoë O\'Hara"}');
    const { host } = new URL(greeter.url);
    const json = `'{"name":"Zoë O'\\''Hara"}'`;
    expect(await linesOf(method)).toEqual({
      "gRPC grpcurl": `grpcurl -plaintext -d ${json} ${host} hello_world.Greeter/SayHelloAgain`,
      "REST curl": `curl 'http://${host}/v1/example/echo/Zo%C3%AB%20O'\\''Hara'`,
      "Connect curl": `curl -H 'content-type: application/json' -d ${json} http://${host}/hello_world.Greeter/SayHelloAgain`,
      "gRPC-Web buf": `buf curl --protocol grpcweb --http2-prior-knowledge -d ${json} http://${host}/hello_world.Greeter/SayHelloAgain`,
      TypeScript: expect.stringContaining(`client.sayHelloAgain({ name: "Zoë O'Hara" })`),
    });
  });

  it("is copied", async () => {
    await using opened = await openPage(browser, greeter.url);
    const method = await openMethod(opened.page, "hello_world.Greeter.SayHello");
    await method.getByRole("button", { name: "Copy the line for gRPC", exact: true }).click();
    await method.getByText("Copied").waitFor();
    const copied = await opened.page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe((await linesOf(method))["gRPC grpcurl"]);
  });

  it("is selected where the page may not copy, as in one that did not come over a safe connection", async () => {
    await using opened = await openPage(browser, greeter.url);
    await opened.page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    const method = await openMethod(opened.page, "hello_world.Greeter.SayHello");
    await method.getByRole("button", { name: "Copy the line for REST", exact: true }).click();
    const selected = await opened.page.evaluate(() => getSelection()?.toString());
    expect(selected).toBe((await linesOf(method))["REST curl"]);
  });

  it("stays, and a line says why, while what is typed is not JSON", async () => {
    await using opened = await openPage(browser, greeter.url);
    const method = await openMethod(opened.page, "hello_world.Greeter.SayHello");
    const before = await linesOf(method);
    await requestOf(method).fill('{"name": ');
    expect(await method.getByRole("alert").innerText()).toMatch(/^Request: .*JSON/);
    await method.getByRole("button", { name: "Call" }).click();
    expect(await method.locator(".outcome").count()).toBe(0);
    expect(await linesOf(method)).toEqual(before);
  });

  it("has the headers, which are sent, too", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${testService}.Unary`);
    await method.getByText("Headers", { exact: true }).click();
    const headers = method.getByLabel("Headers, one on each line");
    await headers.fill("no header");
    expect(await method.getByRole("alert").innerText()).toBe('Headers: expected "name: value", found "no header"');
    await headers.fill("x-echo-one: 1");
    const { Connect: line } = await linesOf(method).then((lines) => ({ Connect: lines["Connect curl"] }));
    expect(line).toContain("curl -H 'x-echo-one: 1' -H 'content-type: application/json'");
    const answered = opened.page.waitForResponse((response) => response.url().endsWith("/Unary"));
    await method.getByRole("button", { name: "Call" }).click();
    expect((await answered).headers()["x-echo-one"]).toBe("1");
    await outcomesOf(method);
  });
});

describe("calls that fail", () => {
  it("show the code and the message of each protocol", async () => {
    await using opened = await openPage(browser, tests.url, { allowed: [failedResponse] });
    const failure = { code: 5, message: "no such thing: ü%" };
    expect(await call(opened.page, `${testService}.Unary`, { failure })).toMatchObject({
      Connect: { status: "404 not_found", answer: failure.message },
      "gRPC-Web": { status: "5 NOT_FOUND", answer: failure.message },
    });
    expect(await call(opened.page, `${testService}.ServerStream`, { count: 2, failure })).toMatchObject({
      Connect: { status: "not_found", answer: failure.message },
      "gRPC-Web": { status: "5 NOT_FOUND", answer: failure.message },
    });
    expect(await call(opened.page, `${restService}.Whole`, { text: 1 })).toMatchObject({
      REST: { status: "400 INVALID_ARGUMENT" },
      Connect: { status: "400 invalid_argument" },
      "gRPC-Web": { status: "3 INVALID_ARGUMENT" },
    });
  });

  it("over REST name the field that the path needs", async () => {
    await using opened = await openPage(browser, greeter.url);
    const { REST } = await call(opened.page, "hello_world.Greeter.SayHelloAgain", {});
    expect(REST).toMatchObject({ status: "failed", answer: "name: the path needs a value" });
  });

  it("say that the server is gone", async () => {
    await using server = await startGreeter();
    await using opened = await openPage(browser, server.url, { allowed: [/ERR_CONNECTION_REFUSED/] });
    await server[Symbol.asyncDispose]();
    const outcomes = await call(opened.page, "hello_world.Greeter.SayHello", { name: "Ada" });
    const gone = { status: "failed", answer: "Failed to fetch" };
    expect(outcomes).toMatchObject({ REST: gone, Connect: gone, "gRPC-Web": gone });
  });
});

describe("streams", () => {
  it("show each reply as it comes", async () => {
    await using opened = await openPage(browser, tests.url);
    const gate = tests.seen.hold("slow", 1);
    const method = await startCall(opened.page, `${testService}.ServerStream`, { text: "slow", count: 2 });
    const answer = (protocol: string) => method.locator(`[data-protocol="${protocol}"] pre`);
    for (const protocol of ["Connect", "gRPC-Web"]) await answer(protocol).getByText('{"text":"slow"}').waitFor();
    expect(await answer("Connect").innerText()).toBe('{"text":"slow"}\n');
    gate.open();
    const both = '{"text":"slow"}\n{"text":"slow","index":1}';
    expect(await outcomesOf(method)).toMatchObject({
      Connect: { status: "ok", answer: both },
      "gRPC-Web": { status: "0 OK", answer: both },
    });
  });

  it("that do not end are stopped", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await startCall(opened.page, "grpc.health.v1.Health.Watch", { service: "" });
    for (const protocol of ["Connect", "gRPC-Web"]) {
      await method.locator(`[data-protocol="${protocol}"]`).getByText('{"status":"SERVING"}').waitFor();
    }
    await method.getByRole("button", { name: "Stop" }).click();
    const stopped = { status: "stopped", answer: '{"status":"SERVING"}' };
    expect(await outcomesOf(method)).toMatchObject({ Connect: stopped, "gRPC-Web": stopped });
  });

  it("of many replies are shown as far as one reads", async () => {
    await using opened = await openPage(browser, tests.url);
    const { Connect } = await call(opened.page, `${testService}.ServerStream`, { count: 1000 });
    expect(Connect?.answer.split("\n").slice(-2)).toEqual(['{"index":199}', "and 800 more messages"]);
  });

  it("of requests are sent as an array", async () => {
    await using opened = await openPage(browser, tests.url);
    const outcomes = await call(opened.page, `${testService}.ClientStream`, [{ text: "a" }, { text: "b" }]);
    const answer = '{\n  "text": "a,b",\n  "index": 2\n}';
    expect(outcomes).toMatchObject({ Connect: { status: "ok", answer }, "gRPC-Web": { status: "0 OK", answer } });
  });

  it("in both directions need HTTP/2, which browsers speak with TLS", async () => {
    await using opened = await openPage(browser, tests.url, { allowed: [failedResponse] });
    const requests = [{ text: "a" }, { text: "b" }];
    const refused = { status: "505", answer: expect.stringContaining("bidirectional streams need HTTP/2") };
    expect(await call(opened.page, `${testService}.BidiStream`, requests)).toMatchObject({ Connect: refused });
    await using secure = await startSecure();
    await using safe = await openPage(browser, secure.url, { ignoreHTTPSErrors: true });
    const answer = '{"text":"a"}\n{"text":"b","index":1}';
    expect(await call(safe.page, `${testService}.BidiStream`, requests)).toMatchObject({
      Connect: { status: "ok", answer },
      "gRPC-Web": { status: "0 OK", answer },
    });
    const rest = await call(safe.page, `${restService}.BidiStream`, requests);
    expect(rest).toMatchObject({ REST: { status: "200", answer: '{"text":"a"}\n{"text":"b"}' } });
  });
});

describe("routes of google.api.http", () => {
  it("are called with what the page proposes, as far as the schema tells", async () => {
    await using opened = await openPage(browser, tests.url);
    for (const name of ["Whole", "Query", "Path", "Custom", "File", "ServerStream", "Download"]) {
      const outcomes = await call(opened.page, `${restService}.${name}`);
      expect([name, ...Object.values(outcomes).map(({ status }) => status)]).toEqual([
        name,
        "200",
        expect.stringMatching(/^(200|ok)$/),
        "0 OK",
      ]);
    }
  });

  it("are chosen where there are several, and have a sample of their own", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${restService}.Query`);
    const route = method.getByLabel("Route");
    const options = await route.locator("option").allInnerTexts();
    expect(options).toEqual([
      "GET /v1/query",
      "GET /v1/query/{node.text=shelves/*}/all",
      "DELETE /v1/query/{choice_number}",
    ]);
    await route.selectOption(options[1] ?? "");
    expect(JSON.parse(await requestOf(method).inputValue()).node).toEqual({ text: "shelves/1" });
    const [request, outcomes] = await Promise.all([
      opened.page.waitForRequest((one) => one.url().includes("/v1/query/")),
      call(opened.page, `${restService}.Query`, { node: { text: "shelves/a b", number: 7 }, words: ["x", "y"] }),
    ]);
    expect(request.url()).toBe(`${tests.url}/v1/query/shelves/a%20b/all?node.number=7&words=x&words=y`);
    expect(outcomes.REST?.status).toBe("200");
  });

  it("carry bytes", async () => {
    await using opened = await openPage(browser, tests.url);
    const data = Buffer.from("<b>bytes</b>").toString("base64");
    const name = `${restService}.Raw`;
    const text = await call(opened.page, name, { contentType: "text/plain", data });
    expect(text.REST).toMatchObject({ status: "200", answer: "<b>bytes</b>" });
    const image = await call(opened.page, name, { contentType: "image/png", data });
    expect(image.REST).toMatchObject({ status: "200", answer: "12 bytes of image/png" });
    const pieces = await call(opened.page, `${restService}.Download`, { name: "a/b/c" });
    expect(pieces.REST).toMatchObject({ status: "200", answer: "abc" });
  });
});
