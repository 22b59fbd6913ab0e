import { readFile } from "node:fs/promises";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DepotService } from "../../gen/manywire/test/describe/v1/depot_pb.js";
import { openPage, startBrowser } from "./browser.js";
import { call, chooseProtocol, linesOf, openMethod, outcomesOf, requestOf, startCall } from "./landing-page.js";
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
const depotService = DepotService.typeName;
const restService = "manywire.test.rest.v1.RestService";

/** Chromium tells of every response over 399 in its console. */
const failedResponse = /^Failed to load resource: the server responded with a status of \d+/;

describe("the Greeter's page", () => {
  it.each([
    ["SayHello", "Hello, Ada!", 14, 25],
    // Its route has all of the request in the path.
    ["SayHelloAgain", "Hello, Ada Again!", 0, 31],
  ])("calls %s over each protocol, and shows response, status, bytes and time", async (name, message, out, into) => {
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
    await method.getByRole("button", { name: "Call", exact: true }).click();
    expect(await method.locator(".outcome").count()).toBe(0);
    expect(await linesOf(method)).toEqual(before);
  });

  it("has the headers, which are sent, too", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${testService}.Unary`);
    await opened.page.locator(".panel.headers > summary").click();
    const headers = opened.page.getByLabel("Headers, one on each line");
    await headers.fill("no header");
    expect(await method.getByRole("alert").innerText()).toBe('Headers: expected "name: value", found "no header"');
    await headers.fill("x-echo-one: 1");
    const { Connect: line } = await linesOf(method).then((lines) => ({ Connect: lines["Connect curl"] }));
    expect(line).toContain("curl -H 'x-echo-one: 1' -H 'content-type: application/json'");
    const answered = opened.page.waitForResponse((response) => response.url().endsWith("/Unary"));
    await method.getByRole("button", { name: "Call", exact: true }).click();
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
    for (const [protocol, status] of [
      ["Connect", "ok"],
      ["gRPC-Web", "0 OK"],
    ] as const) {
      const gate = tests.seen.hold(protocol, 1);
      const request = { text: protocol, count: 2 };
      const method = await startCall(opened.page, `${testService}.ServerStream`, request, protocol);
      const answer = method.locator(`[data-protocol="${protocol}"] pre.answer`);
      const first = JSON.stringify({ text: protocol });
      await answer.getByText(first).waitFor();
      expect(await answer.innerText()).toBe(`${first}\n`);
      gate.open();
      const both = `${first}\n${JSON.stringify({ text: protocol, index: 1 })}`;
      expect(await outcomesOf(method)).toMatchObject({ [protocol]: { status, answer: both } });
    }
  });

  it("that do not end are stopped", async () => {
    await using opened = await openPage(browser, tests.url);
    for (const protocol of ["Connect", "gRPC-Web"]) {
      const method = await startCall(opened.page, "grpc.health.v1.Health.Watch", { service: "" }, protocol);
      await method.locator(`[data-protocol="${protocol}"]`).getByText('{"status":"SERVING"}').waitFor();
      await method.getByRole("button", { name: "Stop" }).click();
      const stopped = { status: "stopped", answer: '{"status":"SERVING"}' };
      expect(await outcomesOf(method)).toMatchObject({ [protocol]: stopped });
    }
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
    await using opened = await openPage(browser, tests.url);
    const requests = [{ text: "a" }, { text: "b" }];
    const refused = await openMethod(opened.page, `${testService}.BidiStream`);
    expect(await refused.locator(".note").innerText()).toContain("needs HTTP/2, which browsers speak with TLS alone");
    expect(await refused.getByRole("button", { name: "Call", exact: true }).isDisabled()).toBe(true);
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
    await expect
      .poll(() => route.locator("option").allInnerTexts())
      .toEqual(["GET /v1/query", "GET /v1/query/{node.text=shelves/*}/all", "DELETE /v1/query/{choice_number}"]);
    await route.selectOption("GET /v1/query/{node.text=shelves/*}/all");
    expect(JSON.parse(await requestOf(method).inputValue()).node.text).toBe("shelves/1");
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
    const [download] = await Promise.all([
      opened.page.waitForEvent("download"),
      startCall(opened.page, name, { contentType: "image/png", data }, "REST").then((method) =>
        method.getByRole("link", { name: "Save" }).click(),
      ),
    ]);
    expect(await readFile(await download.path(), "utf8")).toBe("<b>bytes</b>");
    const pieces = await call(opened.page, `${restService}.Download`, { name: "a/b/c" });
    expect(pieces.REST).toMatchObject({ status: "200", answer: "abc" });
  });
});

/** How often the page has called since it was opened: requests that are not for its own files. */
const callsOf = (requests: readonly string[], path: string) => requests.filter((url) => new URL(url).pathname === path);

describe("one click", () => {
  it("calls once, over the protocol that is chosen", async () => {
    await using opened = await openPage(browser, greeter.url);
    const before = opened.requests.length;
    await outcomesOf(await startCall(opened.page, "hello_world.Greeter.SayHello", { name: "Ada" }, "gRPC-Web"));
    // Chromium loads the icon when it likes.
    const calls = opened.requests.slice(before).filter((url) => !url.endsWith("/icon.svg"));
    expect(calls).toEqual([`${greeter.url}/hello_world.Greeter/SayHello`]);
  });

  it("compares all protocols where a call changes nothing, and not elsewhere", async () => {
    await using opened = await openPage(browser, tests.url);
    const safe = await openMethod(opened.page, `${depotService}.GetItem`);
    await safe.getByRole("button", { name: "Compare protocols" }).click();
    expect(await outcomesOf(safe)).toMatchObject({
      REST: { status: "200" },
      Connect: { status: "200" },
      "gRPC-Web": { status: "0 OK" },
    });
    expect(callsOf(opened.requests, "/v1/shelves/1/items/1")).toHaveLength(1);
    for (const name of [`${depotService}.CreateItem`, `${testService}.Unary`, `${testService}.ClientStream`]) {
      const method = await openMethod(opened.page, name);
      expect(await method.getByRole("button", { name: "Compare protocols" }).isVisible()).toBe(false);
    }
  });

  it("sends a sample of the depot that is accepted, over each protocol", async () => {
    await using opened = await openPage(browser, tests.url);
    for (const { name } of DepotService.methods) {
      const outcomes = await call(opened.page, `${depotService}.${name}`);
      expect([name, ...Object.values(outcomes).map(({ status }) => status)]).toEqual([
        name,
        "200",
        expect.stringMatching(/^(200|ok)$/),
        "0 OK",
      ]);
    }
  });
});

describe("a response", () => {
  it("shows details of an error, headers and trailers", async () => {
    await using opened = await openPage(browser, tests.url, { allowed: [failedResponse] });
    const { page } = opened;
    await page.locator(".panel.headers > summary").click();
    await page.getByLabel("Headers, one on each line").fill("x-echo-one: 1");
    const failure = { code: 5, message: "none", reason: "GONE" };
    for (const protocol of ["Connect", "gRPC-Web"]) {
      const method = await startCall(page, `${testService}.Unary`, { failure }, protocol);
      await outcomesOf(method);
      expect(await method.locator(".detail h5").innerText()).toBe("google.rpc.ErrorInfo");
      expect(await method.locator(".detail pre").innerText()).toContain('"reason": "GONE"');
      await method.locator(".pairs > summary").first().click();
      expect(await method.locator(".pairs dl").first().innerText()).toContain("content-type");
    }
    const method = await startCall(page, `${testService}.Unary`, { text: "a" }, "gRPC-Web");
    await outcomesOf(method);
    expect(await method.locator(".pairs > summary").allInnerTexts()).toEqual([
      expect.stringMatching(/^Headers \(\d+\)$/),
      expect.stringMatching(/^Trailers \(\d+\)$/),
    ]);
  });

  it("comes within the deadline, or not at all", async () => {
    await using opened = await openPage(browser, tests.url, { allowed: [failedResponse] });
    const method = await openMethod(opened.page, `${testService}.Unary`);
    await method.getByLabel("Deadline, ms").fill("soon");
    expect(await method.getByRole("alert").innerText()).toMatch(/^Deadline: expected milliseconds/);
    await method.getByLabel("Deadline, ms").fill("50");
    const request = { waitMs: 5000 };
    expect(await call(opened.page, `${testService}.Unary`, request)).toMatchObject({
      Connect: { status: expect.stringContaining("deadline_exceeded") },
      "gRPC-Web": { status: "4 DEADLINE_EXCEEDED" },
    });
  });
});

describe("the tab", () => {
  it("keeps headers and history when the page is loaded again, and clears them when asked", async () => {
    await using opened = await openPage(browser, greeter.url);
    const { page } = opened;
    await page.locator(".panel.headers > summary").click();
    await page.getByLabel("Headers, one on each line").fill("authorization: Bearer abc");
    await outcomesOf(await startCall(page, "hello_world.Greeter.SayHello", { name: "Ada" }, "Connect"));
    await outcomesOf(await startCall(page, "hello_world.Greeter.SayHelloAgain", { name: "Bob" }, "gRPC-Web"));
    await page.reload();
    expect(await page.locator(".panel.headers > summary").innerText()).toBe("Headers (1)");
    await page.locator(".panel.history > summary").click();
    expect(await page.locator(".history li a").allInnerTexts()).toEqual(["SayHelloAgain", "SayHello"]);
    await page.locator(".history li a").first().click();
    const method = page.locator('details[id="hello_world.Greeter.SayHelloAgain"]');
    expect(JSON.parse(await requestOf(method).inputValue())).toEqual({ name: "Bob" });
    expect(await method.getByRole("radio", { name: "gRPC-Web" }).isChecked()).toBe(true);
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await page.locator(".panel.history").isVisible()).toBe(false);
    const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(stored).toBe("{}");
  });

  it("has a link that carries the request, and nothing of the headers", async () => {
    await using opened = await openPage(browser, greeter.url);
    const { page } = opened;
    await page.locator(".panel.headers > summary").click();
    await page.getByLabel("Headers, one on each line").fill("authorization: Bearer abc");
    const method = await openMethod(page, "hello_world.Greeter.SayHelloAgain");
    await requestOf(method).fill('{"name": "Zoë & #"}');
    await method.getByLabel("Deadline, ms").fill("1234");
    await chooseProtocol(method, "Connect");
    await method.getByRole("button", { name: "Copy link" }).click();
    await method.getByText("Copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(page.url());
    expect(link).not.toContain("Bearer");
    await using other = await openPage(browser, link);
    const linked = other.page.locator('details[id="hello_world.Greeter.SayHelloAgain"]');
    expect(await requestOf(linked).inputValue()).toBe('{"name": "Zoë & #"}');
    expect(await linked.getByLabel("Deadline, ms").inputValue()).toBe("1234");
    expect(await linked.getByRole("radio", { name: "Connect" }).isChecked()).toBe(true);
    expect(callsOf(other.requests, "/hello_world.Greeter/SayHelloAgain")).toEqual([]);
  });
});

describe("a file", () => {
  it.each([
    ["UploadPicture", "REST"],
    ["UploadPicture", "Connect"],
    ["UploadPicture", "gRPC-Web"],
  ])("fills an HttpBody: %s over %s", async (name, protocol) => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${depotService}.${name}`);
    const buffer = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    await method.locator("input[type=file]").setInputFiles({ name: "a b.png", mimeType: "image/png", buffer });
    await expect.poll(() => requestOf(method).inputValue()).toContain('"data": "file:a b.png"');
    const outcomes = await outcomesOf(await startCall(opened.page, `${depotService}.${name}`, undefined, protocol));
    const { barCode, checksum } = JSON.parse(outcomes[protocol]?.answer ?? "{}");
    expect([barCode, Buffer.from(checksum, "base64").equals(buffer)]).toEqual(["image/png", true]);
  });

  it("fills bytes", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${testService}.Unary`);
    await requestOf(method).fill("{}");
    const buffer = Buffer.from([1, 2, 255]);
    await method.locator("input[type=file]").setInputFiles({ name: "a", mimeType: "", buffer });
    await expect.poll(() => requestOf(method).inputValue()).toContain("file:a");
    const { Connect } = await outcomesOf(await startCall(opened.page, `${testService}.Unary`, undefined, "Connect"));
    expect(JSON.parse(Connect?.answer ?? "{}").data).toBe(buffer.toString("base64"));
    expect((await linesOf(method))["Connect curl"]).toContain(`"data":"${buffer.toString("base64")}"`);
  });
});

describe("message by message", () => {
  const send = async (method: Locator, button: string, message: unknown) => {
    await requestOf(method).fill(JSON.stringify(message));
    await method.getByRole("button", { name: button, exact: true }).click();
  };

  it("a stream is sent at once over HTTP/2", async () => {
    await using secure = await startSecure();
    await using opened = await openPage(browser, secure.url, { ignoreHTTPSErrors: true });
    for (const [protocol, status] of [
      ["Connect", "ok"],
      ["gRPC-Web", "0 OK"],
    ] as const) {
      const method = await openMethod(opened.page, `${testService}.BidiStream`);
      await chooseProtocol(method, protocol);
      await send(method, "Send, keep open", { text: "a" });
      await send(method, "Send", { text: "b" });
      await send(method, "Send", [{ text: "c" }, { text: "d" }]);
      await method.getByText("4 sent").waitFor();
      await method.getByRole("button", { name: "End stream" }).click();
      const answer = ["a", "b", "c", "d"].map((text, index) =>
        JSON.stringify(index === 0 ? { text } : { text, index }),
      );
      expect(await outcomesOf(method)).toMatchObject({ [protocol]: { status, answer: answer.join("\n") } });
    }
  });

  it("a client stream is sent at its end over HTTP/1.1, and the page says so", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${testService}.ClientStream`);
    expect(await method.locator(".note").innerText()).toContain("Over HTTP/1.1");
    const path = `/${testService}/ClientStream`;
    await send(method, "Send, keep open", { text: "a" });
    await send(method, "Send", { text: "b" });
    await method.getByText("2 sent").waitFor();
    expect(callsOf(opened.requests, path)).toEqual([]);
    await method.getByRole("button", { name: "End stream" }).click();
    expect(await outcomesOf(method)).toMatchObject({
      Connect: { status: "ok", answer: expect.stringContaining("a,b") },
    });
    expect(callsOf(opened.requests, path)).toHaveLength(1);
  });

  it("an open stream can be stopped", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${testService}.ClientStream`);
    await send(method, "Send, keep open", { text: "a" });
    await method.getByRole("button", { name: "Stop" }).click();
    expect(await outcomesOf(method)).toMatchObject({ Connect: { status: "stopped" } });
    await method.getByRole("button", { name: "Call", exact: true }).waitFor();
  });
});

describe("a page of many methods", () => {
  it("is searched by name, route and comment", async () => {
    await using opened = await openPage(browser, tests.url);
    const { page } = opened;
    await page.keyboard.press("/");
    await page.keyboard.type("items:search");
    await page.getByText("1 found").waitFor();
    expect(await page.locator("main details.method:visible h3").allInnerTexts()).toEqual(["SearchItems"]);
    expect(await page.locator(".index ul ul a:visible").allInnerTexts()).toEqual(["SearchItems"]);
    await page.getByLabel("Search methods").fill("");
    await page.locator(".index").getByText("DownloadPicture").click();
    await page.locator(`details[id="${depotService}.DownloadPicture"] .workbench`).waitFor();
  });

  it("has no list where there are few", async () => {
    await using opened = await openPage(browser, greeter.url);
    expect(await opened.page.locator(".index").count()).toBe(0);
  });
});

describe("types", () => {
  it("open in place, however deep", async () => {
    await using opened = await openPage(browser, tests.url);
    const method = await openMethod(opened.page, `${depotService}.CreateItem`);
    await method.locator("details.more > summary").click();
    const request = method.locator(".more > ul > li").first();
    await expect.poll(() => request.locator("dt").allInnerTexts()).toEqual(["parent string", "item Item required"]);
    await request.locator(".nested > summary").click();
    const part = request.locator(".nested .nested > summary", { hasText: "Item.Part" }).first();
    await part.click();
    const inner = request.locator(".nested .nested .nested > summary");
    await inner.click();
    const names = request.locator(".nested .nested .nested dt");
    await expect.poll(() => names.allInnerTexts()).toEqual(["title string", "parts repeated Item.Part"]);
  });
});
