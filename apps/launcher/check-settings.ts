import { execFile } from "node:child_process";
import { join } from "node:path";
import { SettingsError } from "../../lib/settings/settings.js";
import { readConfig, type LauncherConfig } from "./config.js";
import { MAILBOX_SETTINGS, withoutEmpty } from "./processes/programs.js";

const TIMEOUT_MS = 10_000;
/** What the launcher gives each program, so that only the user's settings can be wrong. */
const GIVEN = {
  app: { ROLE: "canary" },
  agent: {
    ...{ TARGET: "canary", APP_URL: undefined },
    ...{ APP_PID: "1", APP_PIDFILE: undefined, APP_UNIT: undefined },
  },
  proxy: {},
  monitor: {},
};

/**
 * Reads the settings, and has each program check its own before anything is started.
 *
 * @throws SettingsError with the problems of all
 */
export async function readAllSettings(
  env: LauncherConfig["env"],
  programsDirectory: string,
): Promise<LauncherConfig> {
  const found = await Promise.all(
    Object.entries(GIVEN).map(([program, given]) =>
      findProblems(join(programsDirectory, program, "main.js"), {
        ...MAILBOX_SETTINGS,
        SMTP_URL: "smtp://127.0.0.1",
        ...withoutEmpty(env),
        PORT: "0",
        ...given,
      }),
    ),
  );
  try {
    const config = readConfig(env);
    if (found.flat().length === 0) return config;
  } catch (err) {
    if (!(err instanceof SettingsError)) throw err;
    found.unshift(err.problems);
  }
  throw new SettingsError([...new Set(found.flat())]);
}

/** The problems that a program reports. Its start shows any other failure. */
function findProblems(
  main: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, "--check"],
      { env, timeout: TIMEOUT_MS },
      (_err, _stdout, stderr) =>
        resolve(
          [...stderr.matchAll(/^ {2}- (.*)$/gm)].map(([, one = ""]) => one),
        ),
    );
  });
}
