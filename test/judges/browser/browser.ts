// Drives a real Chromium, and holds every page to two things: it says nothing of errors, and it asks no host but its server.
import { access, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** What keeps Chromium from asking the network for anything of its own. */
const quiet = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--disable-extensions"],
];

/** Starts Chromium. The caller closes it. */
export async function startBrowser(): Promise<Browser> {
  await access(executablePath).catch(() => {
    throw new Error(`Chromium: expected ${executablePath}, found nothing; CHROMIUM names another`);
  });
  return await chromium.launch({ executablePath, args: quiet });
}

/** Widths at which pages are looked at, in CSS pixels. */
export const phone: { width: number; height: number } = { width: 360, height: 740 };
export const desktop: { width: number; height: number } = { width: 1280, height: 860 };

/** A page that is watched. To be disposed; throws then, if something was wrong. */
interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** The addresses that it asked for. */
  readonly requests: readonly string[];
  /** Errors, violations of the content security policy among them. */
  readonly errors: string[];
}

/** Opens a page of a server. `allowed` are errors that the test is about, `others` the origins that it may ask, too. */
export async function openPage(
  browser: Browser,
  url: string,
  {
    allowed = [],
    others = [],
    ...options
  }: BrowserContextOptions & { allowed?: readonly RegExp[]; others?: readonly string[] } = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: desktop, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  await page.goto(url);
  return {
    page,
    requests,
    errors,
    async [Symbol.asyncDispose]() {
      await context.close();
      const known = [url, ...others].map((each) => new URL(each).origin);
      const strangers = requests.filter(
        (address) => !address.startsWith("data:") && !known.includes(new URL(address).origin),
      );
      const unexpected = errors.filter((error) => !allowed.some((pattern) => pattern.test(error)));
      const problems = [...strangers.map((address) => `asked ${address}`), ...unexpected];
      if (problems.length > 0) throw new Error(`${url}: ${problems.join("; ")}`);
    },
  };
}

/** Whether a page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Keeps a picture of the whole page, for people. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = fileURLToPath(new URL("screenshots/", import.meta.url));
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: true });
}
