import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { CliError, EXIT } from "../../exit-status.js";
import type { MonitorClient } from "../../sources/monitor-client.js";

/**
 * Requires that the canary may have traffic. An aborted rollout stopped its own release, and does not keep out the next one.
 *
 * @throws CliError with EXIT.refused while somebody else has stopped the canary
 */
export async function admitByFlag(monitor: MonitorClient): Promise<void> {
  const state = await monitor.readOwnState();
  requireRollouts(state, monitor.url);
  const { flag, rollout } = state;
  if (flag.value || rollout?.phase === "Aborted") return;
  throw new CliError(
    EXIT.refused,
    `not built: the flag is false, by ${flag.by ?? "nobody"}: ${flag.reason ?? "no reason"}. Build again when the canary may have traffic: serin flag on, or after the automatic retry`,
  );
}

function requireRollouts({ rollout }: StateReport, url: string): void {
  if (rollout !== undefined) return;
  throw new CliError(
    EXIT.usage,
    `the monitor at ${url} is older than this serin and knows no rollouts: update it with \`serin setup\`, or release with --skip-verdict`,
  );
}
