import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ServiceFile } from "../../lib/service-file.js";
import { SettingsError } from "../../lib/settings/settings.js";
import { mergeSettings, readConfig, type LauncherConfig } from "./config.js";
import { MAILBOX_SETTINGS } from "./processes/programs.js";

/** What the launcher gives each program, so that only the user's settings can be wrong. */
const GIVEN = {
  agent: {
    TARGET: "canary",
    APP_URL: undefined,
    APP_PID: "1",
    APP_PIDFILE: undefined,
    APP_UNIT: undefined,
  },
  proxy: {},
  monitor: {},
};

type ReadConfig = (env: LauncherConfig["env"]) => unknown;

/**
 * Reads the launcher's settings, and those of each program by the module that the playbooks check them with, too.
 *
 * @throws SettingsError with the problems of all
 */
export async function readAllSettings(
  env: LauncherConfig["env"],
  options: { service: ServiceFile; programsDirectory: string },
): Promise<LauncherConfig> {
  const { service, programsDirectory } = options;
  const problems = findProblems((own) => readConfig(own, service), env);
  for (const [program, given] of Object.entries(GIVEN)) {
    const path = join(programsDirectory, program, "config.js");
    const module = (await import(pathToFileURL(path).href)) as {
      readConfig: ReadConfig;
    };
    const settings = {
      ...MAILBOX_SETTINGS,
      SMTP_URL: "smtp://127.0.0.1",
      ...mergeSettings(env, service),
      PORT: "0",
      ...given,
    };
    problems.push(...findProblems(module.readConfig, settings));
  }
  if (problems.length > 0) throw new SettingsError([...new Set(problems)]);
  return readConfig(env, service);
}

function findProblems(read: ReadConfig, env: LauncherConfig["env"]): string[] {
  try {
    read(env);
    return [];
  } catch (err) {
    // Not by its class, of which each bundle has its own.
    if (err instanceof Error && "problems" in err)
      return err.problems as string[];
    throw err;
  }
}
