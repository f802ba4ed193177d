import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "mocha";
import { chromium, type Browser } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** It is to talk to nobody but the page's server. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** The machine's own browser, for the tests of a suite; without one they are skipped, loudly. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined;
  before(async function () {
    browser = await launchBrowser();
    if (browser === undefined) skipOrFail(this);
  });
  after(() => browser?.close());
  return () => browser!;
}

function skipOrFail(context: Context): void {
  const problem = `no ${NAMES.join(", ")} on the PATH: the dashboard's tests in a browser`;
  if (process.env.SERIN_REQUIRE_BROWSER === "1")
    throw new Error(`${problem} cannot run`);
  console.warn(`SKIPPED: ${problem} do not run (apt-get install chromium)`);
  context.skip();
}

/** Undefined where there is none. */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  const isRoot = process.getuid?.() === 0;
  return await chromium.launch({
    executablePath,
    args: isRoot ? [...QUIET, "--no-sandbox"] : QUIET,
  });
}

function findChromium(): string | undefined {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) =>
    directories.map((directory) => join(directory, name)),
  ).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
