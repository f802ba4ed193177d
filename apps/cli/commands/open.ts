import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Environment } from "../../../lib/settings/settings.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import type { CommandContext } from "./command-context.js";

/** `serin open`: prints the dashboard's address and opens it, where this machine has a browser. */
export async function openDashboard(
  { config, output }: CommandContext,
  env: Environment,
): Promise<ExitStatus> {
  const url = config.dashboardUrl ?? `${config.monitorUrl.origin}/`;
  output.line(url);
  const command = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(command, [url], { env, stdio: "ignore", detached: true });
  try {
    await once(child, "spawn");
    child.unref();
  } catch {
    // A server has no browser: the address is enough.
  }
  return EXIT.ok;
}
