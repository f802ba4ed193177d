import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { onCleanup } from "../cleanup.js";
import { waitFor } from "../wait-for.js";

/** The dashboard in a browser, as an operator sees and uses it. */
export interface DashboardPage {
  page: Page;
  headline: () => Promise<string>;
  /** `good`, `stopped`, `warning`, `old` or `loading`. */
  tone: () => Promise<string | null>;
  /** Waits until the headline has this tone. */
  untilTone: (tone: string, timeoutMs?: number) => Promise<void>;
  /** A value in a chart's legend, such as `45/s`. */
  legendValue: (chart: string, line: string) => Promise<string>;
  /** A chart's image, to compare with a later one. */
  picture: (chart: string) => Promise<string>;
}

/** Simulates a switch of tabs: a headless browser shows all its pages. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))`,
  );
}

/**
 * Opens the dashboard in its own context. The test fails if the page sends a request elsewhere, violates its content security
 * policy or throws.
 */
export async function openDashboardPage(
  browser: Browser,
  port: number,
  { path = "/", ...options }: BrowserContextOptions & { path?: string } = {},
): Promise<DashboardPage> {
  const origin = `http://127.0.0.1:${port}`;
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(origin + path))
      problems.push(`requested ${request.url()}`);
  });
  page.on("pageerror", (err) => problems.push(`threw ${err.message}`));
  page.on("console", (message) => {
    if (/content security policy|trusted/i.test(message.text()))
      problems.push(message.text());
  });
  onCleanup(async () => {
    await context.close();
    if (problems.length > 0)
      throw new Error(`the page: ${problems.join("; ")}`);
  });
  await page.goto(origin + path);
  const section = page.locator("#headline");
  const tone = () => section.getAttribute("data-tone");
  const chart = (title: string) => {
    const heading = page.locator("h3", { hasText: new RegExp(`^${title}`) });
    return page.locator(".chart").filter({ has: heading });
  };
  return {
    page,
    headline: async () =>
      (await page.locator("#headline-text").innerText()).replaceAll(
        "\u00a0",
        " ",
      ),
    tone,
    untilTone: async (wanted, timeoutMs) => {
      await waitFor(
        `the page to be ${wanted}`,
        async () => (await tone()) === wanted,
        timeoutMs,
      );
    },
    legendValue: (title, line) =>
      chart(title)
        .locator(".legend-entry")
        .filter({ hasText: line })
        .locator(".legend-value")
        .innerText(),
    picture: (title) =>
      page.evaluate<string>(
        `[...document.querySelectorAll(".chart")].find(({ textContent }) => textContent.startsWith("${title}")).querySelector("canvas").toDataURL()`,
      ),
  };
}
