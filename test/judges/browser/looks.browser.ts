import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seriousFindings } from "./axe.js";
import { desktop, keepScreenshot, openPage, overflow, phone, startBrowser } from "./browser.js";
import { call, openMethod } from "./landing-page.js";
import { type BuiltServer, startGreeter, startTestServices } from "./server.js";

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

const looks = [
  ["phone, light", { viewport: phone, colorScheme: "light" }],
  ["phone, dark", { viewport: phone, colorScheme: "dark" }],
  ["desktop, light", { viewport: desktop, colorScheme: "light" }],
  ["desktop, dark", { viewport: desktop, colorScheme: "dark" }],
] as const satisfies [string, BrowserContextOptions][];

const fileName = (page: string, look: string) => `${page}-${look.replace(", ", "-")}`;
/** Some of the proposed requests are refused, and the page has to bear it. */
const allowed = [/^Failed to load resource: the server responded with a status of \d+/];

/** The colour behind everything, as its sum of red, green and blue. */
async function brightness(page: Page): Promise<number> {
  const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return (color.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
}

describe.each(looks)("on a %s screen", (look, options) => {
  it("the Greeter's page fits, is legible, and axe finds nothing serious", async () => {
    await using opened = await openPage(browser, greeter.url, options);
    const { page } = opened;
    await call(page, "hello_world.Greeter.SayHello", { name: "Ada" });
    await page.locator("details.more").first().locator("summary").click();
    await page.locator("details.pairs > summary").first().click();
    for (const panel of await page.locator(".panel > summary").all()) await panel.click();
    await page.locator("details.types > summary").click();
    expect(await overflow(page)).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    await keepScreenshot(page, fileName("greeter", look));
  });

  it("so does a page with all kinds of methods, opened and called", async () => {
    await using opened = await openPage(browser, tests.url, { ...options, allowed });
    const { page } = opened;
    for (const name of ["Unary", "ServerStream"]) await call(page, `manywire.test.v1.TestService.${name}`);
    for (const name of ["Field", "Path", "File"]) await call(page, `manywire.test.rest.v1.RestService.${name}`);
    await openMethod(page, "grpc.health.v1.Health.Check");
    await openMethod(page, "manywire.test.describe.v1.DepotService.CreateItem");
    for (const more of await page.locator("details.more:visible > summary").all()) await more.click();
    await page.locator("details.nested:visible > summary").first().click();
    expect(await overflow(page)).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    await keepScreenshot(page, fileName("services", look));
  });

  it("the page has the colours that are asked for", async () => {
    await using opened = await openPage(browser, greeter.url, options);
    const isDark = (await brightness(opened.page)) < 384;
    expect(isDark).toBe(options.colorScheme === "dark");
  });
});

describe("with the keyboard alone", () => {
  /** What has the focus, by tag and name. */
  const focused = (page: Page) =>
    page.evaluate(() => {
      const { activeElement } = document;
      const label = activeElement?.getAttribute("aria-label") ?? activeElement?.textContent;
      const name = label || activeElement?.closest("label")?.textContent || "";
      return `${activeElement?.tagName.toLowerCase()} ${name.trim().split("\n")[0]}`.trim();
    });

  it("everything is reached, in the order in which it is read", async () => {
    await using opened = await openPage(browser, greeter.url);
    const { page } = opened;
    const order: string[] = [];
    for (let step = 0; step < 60 && !order.at(-1)?.startsWith("summary For tools"); step++) {
      await page.keyboard.press("Tab");
      order.push(await focused(page));
    }
    expect(order).toEqual([
      "a API docs",
      "a OpenAPI",
      "summary Headers",
      "summary SayHelloPOST /v1/example/echo",
      "summary HelloRequest → HelloReply",
      "input REST",
      "input Deadline, ms",
      "textarea {",
      "button Call",
      "button Compare protocols",
      "button Copy link",
      ...["gRPC", "REST", "Connect", "gRPC-Web", "TypeScript"].flatMap((caller) => [
        `pre ${caller}: line to copy`,
        `button Copy the line for ${caller}`,
      ]),
      "summary SayHelloAgainGET /v1/example/echo/{name}",
      "summary For tools: health and reflection",
    ]);
  });

  it("a method is opened, filled in and called", async () => {
    await using opened = await openPage(browser, greeter.url);
    const { page } = opened;
    const method = page.locator('details[id="hello_world.Greeter.SayHelloAgain"]');
    await method.locator("> summary").press("Enter");
    await method.locator(".workbench").waitFor();
    // Past the types, the protocol, the deadline.
    for (let step = 0; step < 4; step++) await page.keyboard.press("Tab");
    await page.keyboard.press("Control+a");
    await page.keyboard.type('{"name": "Ada"}');
    await page.keyboard.press("Control+Enter");
    await method.locator('[data-protocol="REST"]').getByText("Hello, Ada Again!").waitFor();
  });

  it("one sees where the focus is", async () => {
    await using opened = await openPage(browser, greeter.url);
    await opened.page.keyboard.press("Tab");
    const outline = await opened.page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
    expect(outline).toBe("solid");
  });
});
