import type { Browser } from "playwright-core";

/** Opens the dashboard without a cache. @returns the ms until the first chart has values */
export async function openUntilChart(
  browser: Browser,
  port: number,
): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const startedAt = performance.now();
    await page.goto(`http://127.0.0.1:${port}/`, { waitUntil: "commit" });
    await page
      .locator(".chart .legend-value")
      .filter({ hasText: /\d/ })
      .first()
      .waitFor();
    return performance.now() - startedAt;
  } finally {
    await context.close();
  }
}
