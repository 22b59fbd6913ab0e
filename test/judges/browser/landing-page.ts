// The landing page as its reader uses it: opens a method, fills in a request, calls, reads what comes.
import type { Locator, Page } from "playwright-core";

/** What stands instead of one protocol. */
interface ShownOutcome {
  status: string;
  figures: string;
  answer: string;
}

/** Opens a method, and what it is in, where they are not open. */
export async function openMethod(page: Page, name: string): Promise<Locator> {
  const method = page.locator(`details[id="${name}"]`);
  for (const part of await page.locator(`details:has(> [id="${name}"]), details:has(> section [id="${name}"])`).all()) {
    await open(part);
  }
  await open(method);
  return method;
}

async function open(details: Locator): Promise<void> {
  if ((await details.getAttribute("open")) === null) await details.locator("> summary").click();
}

/** The place of a method's request. */
export function requestOf(method: Locator): Locator {
  return method.getByLabel(/^Requests?, as/);
}

/** Fills in a request, unless the sample is to be sent, and calls over a protocol, or over the one that is chosen. */
export async function startCall(page: Page, name: string, request?: unknown, protocol?: string): Promise<Locator> {
  const method = await openMethod(page, name);
  if (request !== undefined) await requestOf(method).fill(JSON.stringify(request));
  if (protocol !== undefined) await chooseProtocol(method, protocol);
  await method.getByRole("button", { name: "Call", exact: true }).click();
  return method;
}

export async function chooseProtocol(method: Locator, protocol: string): Promise<void> {
  await method.getByRole("radio", { name: protocol, exact: true }).setChecked(true, { force: true });
}

/** Calls once over each protocol of the method, one after the other. By the name of the protocol. */
export async function call(page: Page, name: string, request?: unknown): Promise<Record<string, ShownOutcome>> {
  const method = await openMethod(page, name);
  const labels = method.locator(".choice label");
  // The form of a method is made when it is opened.
  await labels.first().waitFor();
  const names = await labels.allInnerTexts();
  const outcomes: Record<string, ShownOutcome> = {};
  for (const protocol of names) {
    Object.assign(outcomes, await outcomesOf(await startCall(page, name, request, protocol)));
  }
  return outcomes;
}

export async function outcomesOf(method: Locator): Promise<Record<string, ShownOutcome>> {
  await method.locator(".outcome").first().waitFor();
  await method.locator('[data-state="running"]').first().waitFor({ state: "detached" });
  const outcomes: Record<string, ShownOutcome> = {};
  for (const outcome of await method.locator(".outcome").all()) {
    outcomes[await outcome.locator("h4").innerText()] = {
      status: await outcome.locator(".status").innerText(),
      figures: await outcome.locator(".figures").innerText(),
      answer: (await outcome.locator("pre.answer").innerText()).trim(),
    };
  }
  return outcomes;
}

/** The lines to copy, by caller. */
export async function linesOf(method: Locator): Promise<Record<string, string>> {
  const lines: Record<string, string> = {};
  for (const line of await method.locator(".lines li").all()) {
    lines[await line.locator(".caller").innerText()] = await line.locator("code").innerText();
  }
  return lines;
}
