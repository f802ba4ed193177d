import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { onCleanup } from "../cleanup.js";
import { waitFor } from "../wait-for.js";

/** The dashboard in a browser, as an operator sees and steers it. */
export interface DashboardPage {
  page: Page;
  headline: () => Promise<string>;
  /** `good`, `stopped`, `warning`, `old` or `loading`. */
  tone: () => Promise<string | null>;
  /** Waits until the headline has this tone. */
  untilTone: (tone: string, timeoutMs?: number) => Promise<void>;
  /** What a chart's legend tells, such as `45/s`. */
  legendValue: (chart: string, line: string) => Promise<string>;
  /** A chart's picture, to be compared with a later one. */
  picture: (chart: string) => Promise<string>;
}

/** As when another tab is looked at, or this one again. A headless browser shows all its pages. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))`,
  );
}

/**
 * Opens it in a context of its own. When the test ends, the page must not have asked any other origin for anything, broken
 * its own content security policy or thrown.
 */
export async function openDashboardPage(
  browser: Browser,
  port: number,
  options: BrowserContextOptions = {},
): Promise<DashboardPage> {
  const origin = `http://127.0.0.1:${port}`;
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`))
      problems.push(`it asked for ${request.url()}`);
  });
  page.on("pageerror", (err) => problems.push(`it threw ${err.message}`));
  page.on("console", (message) => {
    if (/content security policy|trusted/i.test(message.text()))
      problems.push(message.text());
  });
  onCleanup(async () => {
    await context.close();
    if (problems.length > 0)
      throw new Error(`the page: ${problems.join("; ")}`);
  });
  await page.goto(`${origin}/`);
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
