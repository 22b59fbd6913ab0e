import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DepotService } from "../../gen/manywire/test/describe/v1/depot_pb.js";
import { seriousFindings } from "./axe.js";
import { desktop, keepScreenshot, openPage, overflow, phone, startBrowser } from "./browser.js";
import { type BuiltServer, startGreeter, startTestServices } from "./server.js";

let browser: Browser;
let greeter: BuiltServer;

beforeAll(async () => {
  [browser, greeter] = await Promise.all([startBrowser(), startGreeter()]);
});

afterAll(async () => {
  await browser?.close();
  await greeter?.[Symbol.asyncDispose]();
});

/** What axe finds in the markup of Swagger UI itself: links within buttons, and fields that nothing names. */
const swaggerUi = ["nested-interactive", "label", "select-name"];

describe("the docs page", () => {
  it("shows every operation of the server's own description", async () => {
    await using opened = await openPage(browser, `${greeter.url}/docs`);
    const { page } = opened;
    await page.locator(".opblock").first().waitFor();
    const document = await page.evaluate(async () => (await fetch("openapi.json")).json());
    const operations = Object.values(document.paths).flatMap((item) => Object.keys(item as object));
    expect(await page.locator(".opblock").count()).toBe(operations.length);
    expect(operations.length).toBeGreaterThan(3);
  });

  it.each([
    ["/v1/example/echo", "post", { name: "Ada" }, "Hello, Ada!"],
    ["/hello_world.Greeter/SayHello", "post", { name: "Ada" }, "Hello, Ada!"],
  ])("tries %s out on the very port", async (path, method, body, message) => {
    await using opened = await openPage(browser, `${greeter.url}/docs`);
    const { page } = opened;
    const operation = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
    await operation.locator(".opblock-summary-control").click();
    await operation.locator("textarea").first().fill(JSON.stringify(body));
    await operation.getByRole("button", { name: "Execute" }).click();
    const answer = operation.locator(".live-responses-table .response");
    await answer.locator(".highlight-code").first().waitFor();
    expect(await answer.locator(".response-col_status").innerText()).toContain("200");
    expect(JSON.parse(await answer.locator(".highlight-code code, .highlight-code pre").first().innerText())).toEqual({
      message,
    });
    expect(opened.requests.filter((url) => new URL(url).pathname === path)).toEqual([`${greeter.url}${path}`]);
  });

  it("tries a route out that has its request in the path", async () => {
    await using opened = await openPage(browser, `${greeter.url}/docs`);
    const { page } = opened;
    const operation = page
      .locator(".opblock-get")
      .filter({ has: page.locator('[data-path="/v1/example/echo/{name}"]') });
    await operation.locator(".opblock-summary-control").click();
    await operation.locator(".parameters input").first().fill("Ada Lovelace");
    await operation.getByRole("button", { name: "Execute" }).click();
    await operation.locator(".live-responses-table").getByText("Hello, Ada Lovelace Again!").waitFor();
    expect(opened.requests).toContain(`${greeter.url}/v1/example/echo/Ada%20Lovelace`);
  });

  it("proposes requests with a field of every kind that the server accepts", async () => {
    await using tests = await startTestServices();
    await using opened = await openPage(browser, `${tests.url}/docs`);
    const { page } = opened;
    await page.locator(".opblock").first().waitFor();
    const connect = (name: string) => `/${DepotService.typeName}/${name}`;
    for (const path of ["/v1/items:search", ...["CreateItem", "UpdateItem", "UploadPicture"].map(connect)]) {
      const operation = page.locator(".opblock-post").filter({ has: page.locator(`[data-path="${path}"]`) });
      await operation.locator(".opblock-summary-control").click();
      await operation.getByRole("button", { name: "Execute" }).click();
      const status = operation.locator(".live-responses-table .response-col_status").last();
      await expect.poll(() => status.innerText(), { timeout: 20_000 }).toContain("200");
    }
  });

  it("bears a description with everything in it", async () => {
    await using tests = await startTestServices();
    await using opened = await openPage(browser, `${tests.url}/docs`);
    const { page } = opened;
    await page.locator(".opblock").first().waitFor();
    expect(await page.locator(".errors").count()).toBe(0);
    for (const path of ["/v1/whole", "/v1/server-stream", "/v1/raw"]) {
      await page.locator(`[data-path="${path}"]`).first().click();
    }
    await page.locator(".opblock.is-open").nth(2).waitFor();
  });

  it("is found with a slash at its end, too", async () => {
    await using opened = await openPage(browser, `${greeter.url}/docs/`);
    await opened.page.locator(".opblock").first().waitFor();
    expect(opened.page.url()).toBe(`${greeter.url}/docs`);
  });

  it("leads back", async () => {
    await using opened = await openPage(browser, `${greeter.url}/docs`);
    await opened.page.locator("header a").click();
    await opened.page.waitForURL(`${greeter.url}/`);
  });

  it.each([
    ["phone-light", { viewport: phone, colorScheme: "light" }],
    ["phone-dark", { viewport: phone, colorScheme: "dark" }],
    ["desktop-light", { viewport: desktop, colorScheme: "light" }],
    ["desktop-dark", { viewport: desktop, colorScheme: "dark" }],
  ] as const)("fits on a screen, %s, in the colours that are asked for", async (name, options) => {
    await using opened = await openPage(browser, `${greeter.url}/docs`, options);
    const { page } = opened;
    await page.locator(".opblock-summary-control").first().click();
    await page.locator(".opblock.is-open").first().waitFor();
    expect(await overflow(page)).toBe(0);
    const findings = await seriousFindings(page);
    expect(findings.filter((finding) => !swaggerUi.some((rule) => finding.startsWith(`${rule}: `)))).toEqual([]);
    const isDark = await page.evaluate(() => document.documentElement.classList.contains("dark-mode"));
    expect(isDark).toBe(options.colorScheme === "dark");
    await keepScreenshot(page, `docs-${name}`);
  });

  it("is loaded once", async () => {
    await using opened = await openPage(browser, `${greeter.url}/docs`);
    const { page } = opened;
    await page.locator(".opblock").first().waitFor();
    await page.goto(`${greeter.url}/`);
    await page.goto(`${greeter.url}/docs`);
    await page.locator(".opblock").first().waitFor();
    const sizes = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter(({ name }) => /swagger-ui/.test(name))
        .map((entry) => (entry as PerformanceResourceTiming).transferSize),
    );
    expect(sizes).toEqual([0, 0]);
  });
});
