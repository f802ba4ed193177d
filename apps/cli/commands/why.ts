import type { Ledger, LedgerEvent } from "../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { readCanaryTrail } from "./canary-trail.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import type { MonitorClient } from "../sources/monitor-client.js";
import type { CommandContext } from "./command-context.js";
import {
  describeRecovery,
  readFlagFacts,
  readLeaseFacts,
} from "../sources/redis-report.js";
import { renderWhy, type Account } from "./why-page.js";

/** `serin why`: reads Redis, and adds the monitor's state if it answers. @throws if Redis is unreachable */
export async function explainFlip(
  { link, monitor, output }: CommandContext,
  options: { json: boolean },
): Promise<ExitStatus> {
  const store = await link.open();
  const { ledger, flagName } = store;
  const { value } = await readFlagFacts(store);
  const flip = await findLastFlip(ledger, flagName);
  if (flip === undefined) {
    if (options.json) output.json({ flag: flagName, value, flip: null });
    else
      output.line(
        `${flagName} is ${value ? "on" : "off"}: the ledger has no flip`,
      );
    return EXIT.ok;
  }
  const [trail, { recovery, without }, lease, verdict] = await Promise.all([
    readCanaryTrail(store, entryTimeMs(flip.id)),
    readRecovery(monitor, flip),
    readLeaseFacts(store),
    readVerdict(monitor, flip),
  ]);
  const account = {
    flagName,
    value,
    flip,
    trail,
    recovery,
    without,
    lease,
    verdict,
  };
  if (options.json) output.json(toJson(account));
  else renderWhy(account, Date.now(), output.paint).forEach(output.line);
  return EXIT.ok;
}

async function findLastFlip(
  ledger: Ledger,
  flagName: string,
): Promise<LedgerEvent | undefined> {
  const flips = await ledger.readEvents({ kind: "flip", limit: 100 });
  return flips.find(({ data }) => data.flag === flagName);
}

async function readRecovery(
  monitor: MonitorClient,
  flip: LedgerEvent,
): Promise<Pick<Account, "recovery" | "without">> {
  try {
    const { recovery } = await monitor.readOwnState();
    return { recovery, without: undefined };
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    return { recovery: describeRecovery(flip), without: err };
  }
}

async function readVerdict(
  monitor: MonitorClient,
  flip: LedgerEvent,
): Promise<Account["verdict"]> {
  if (flip.data.rule !== "verdict") return undefined;
  try {
    const replay = await monitor.replayVerdict(flip.id);
    return replay ?? "the monitor has no counts to recompute it from";
  } catch (err) {
    if (err instanceof CliError) return err.message;
    throw err;
  }
}

function toJson(account: Account): object {
  const { flagName, value, flip, trail, recovery, verdict } = account;
  const toIso = (ms: number | null) =>
    ms === null ? null : new Date(ms).toISOString();
  return {
    flag: flagName,
    value,
    flip,
    recovery,
    canary: {
      ...trail,
      lastBeforeAt: toIso(trail.lastBeforeAt),
      lastAfterAt: toIso(trail.lastAfterAt),
    },
    verdict: typeof verdict === "object" ? verdict : null,
  };
}
