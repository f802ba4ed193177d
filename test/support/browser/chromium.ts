import { chromium, type Browser } from "playwright-core";
import {
  findOnPath,
  skipWithout,
  type NeededProgram,
} from "../needed-program.js";

const CHROMIUM: NeededProgram = {
  names: ["chromium", "chromium-browser", "google-chrome"],
  debianPackage: "chromium",
};
/** Without traffic other than to the page's server. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** The machine's own browser, for a suite. Without one the suite is skipped, unless SERIN_REQUIRE_BROWSER is 1. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined;
  before(async function () {
    if (process.env.SERIN_REQUIRE_BROWSER !== "1") skipWithout(this, CHROMIUM);
    browser = await launchBrowser();
    if (browser === undefined)
      throw new Error("no chromium found, and SERIN_REQUIRE_BROWSER is 1");
  });
  after(() => browser?.close());
  return () => browser!;
}

/** @returns undefined when no browser is installed */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = findOnPath(CHROMIUM.names);
  if (executablePath === undefined) return undefined;
  const isRoot = process.getuid?.() === 0;
  return await chromium.launch({
    executablePath,
    args: isRoot ? [...QUIET, "--no-sandbox"] : QUIET,
  });
}
