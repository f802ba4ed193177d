import { isRepeatedByFlip } from "../../../lib/flag/ledger-event.js";
import type { Ledger, LedgerEvent } from "../../../lib/flag/ledger.js";
import { describeWithoutFeature } from "../../../lib/wording/headline.js";
import { readHarm } from "../../../lib/telemetry/harm.js";
import { compareIds, entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { readCanaryTrail } from "./canary-trail.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { parseMoment } from "../moment.js";
import { findDeploy } from "../sources/deploys.js";
import type { MonitorClient } from "../sources/monitor-client.js";
import type { CommandContext } from "./command-context.js";
import {
  describeRecovery,
  readFlagFacts,
  readLeaseFacts,
} from "../sources/redis-report.js";
import { renderWhy, type Account } from "./why-page.js";

const EVENT_HELP = "give an event's id, or the time of a flip such as 14:03:09";
/** Enough for days of flips. */
const LOOK_BACK = 1000;

/**
 * `serin why [event]`: explains the last stop, or that event. It reads Redis, and adds the monitor's state if it answers.
 *
 * @throws if Redis is unreachable
 */
export async function explainFlip(
  { link, monitor, output }: CommandContext,
  options: { json: boolean; event: string | undefined },
): Promise<ExitStatus> {
  const store = await link.open();
  const { ledger, flagName } = store;
  const { value } = await readFlagFacts(store);
  const isOfFlag = ({ data }: LedgerEvent) => data.flag === flagName;
  const flips = await ledger.readEvents({
    kind: "flip",
    limit: LOOK_BACK,
    where: isOfFlag,
  });
  const flip =
    options.event === undefined
      ? (flips.find(({ data }) => data.value === false) ?? flips[0])
      : await findFlip(ledger, options.event, flips);
  if (flip === undefined) {
    if (options.json) output.json({ flag: flagName, value, flip: null });
    else
      output.line(
        `${flagName} is ${value ? "on" : "off"}: the ledger has no flip`,
      );
    return EXIT.ok;
  }
  const [last = flip] = flips;
  const next = flips.findLast(({ id }) => compareIds(id, flip.id) > 0);
  const isStop = flip.data.value === false && flip.by !== "operator";
  const [harm, deploy, trail, present, lease, verdict] = await Promise.all([
    isStop ? readHarm(store, flip) : undefined,
    findDeployOf(ledger, flip),
    readCanaryTrail(store, entryTimeMs(flip.id), next && entryTimeMs(next.id)),
    readPresent(monitor, last),
    readLeaseFacts(store),
    readVerdict(monitor, flip),
  ]);
  const account = {
    flagName,
    value,
    flip,
    last,
    harm,
    deploy,
    trail,
    ...present,
    lease,
    verdict,
  };
  if (options.json) output.json(toJson(account));
  else renderWhy(account, Date.now(), output).forEach(output.line);
  return EXIT.ok;
}

/**
 * The flip that an event is or led to, or the last one up to a time.
 *
 * @param flips newest first
 * @throws CliError if there is none
 */
async function findFlip(
  ledger: Ledger,
  wanted: string,
  flips: readonly LedgerEvent[],
): Promise<LedgerEvent> {
  if (/^\d+-\d+$/.test(wanted)) return await findFlipOf(ledger, wanted, flips);
  const at = parseMoment(wanted, Date.now());
  if (at === undefined)
    throw new CliError(EXIT.usage, `${wanted} is no event: ${EVENT_HELP}`);
  // Times are printed to the second.
  const found = flips.find(({ id }) => entryTimeMs(id) < at + 1000);
  if (found !== undefined) return found;
  throw new CliError(EXIT.problem, `the ledger has no flip before ${wanted}`);
}

async function findFlipOf(
  ledger: Ledger,
  id: string,
  flips: readonly LedgerEvent[],
): Promise<LedgerEvent> {
  const event = await ledger.readEvent(id);
  if (event === undefined)
    throw new CliError(EXIT.problem, `the ledger has no event ${id}`);
  const { flag } = event.data;
  if (event.kind === "flip" && flips.some((flip) => flip.id === id))
    return event;
  if (event.kind === "flip" && typeof flag === "string")
    throw new CliError(
      EXIT.problem,
      `${id} is of another flag: set FLAG_NAME to ${flag}`,
    );
  const ledTo = isRepeatedByFlip(event)
    ? flips.findLast((flip) => compareIds(flip.id, id) > 0)
    : undefined;
  if (ledTo !== undefined) return ledTo;
  const what = `${id} is no flip, but of kind ${event.kind}`;
  throw new CliError(EXIT.problem, `${what}: ${event.reason}`);
}

async function readPresent(
  monitor: MonitorClient,
  flip: LedgerEvent,
): Promise<Pick<Account, "recovery" | "withoutFeature" | "without">> {
  try {
    const { recovery, sides } = await monitor.readOwnState();
    const withoutFeature = describeWithoutFeature(sides.prod);
    return { recovery, withoutFeature, without: undefined };
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    const recovery = describeRecovery(flip);
    return { recovery, withoutFeature: undefined, without: err };
  }
}

/** The last deploy of a flip's release before it. */
async function findDeployOf(
  ledger: Ledger,
  { id, data }: LedgerEvent,
): Promise<LedgerEvent | undefined> {
  const { version } = data;
  return typeof version === "string"
    ? await findDeploy(ledger, version, id)
    : undefined;
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
  const { flagName, value, flip, trail, recovery, verdict, harm } = account;
  const toIso = (ms: number | null) =>
    ms === null ? null : new Date(ms).toISOString();
  return {
    flag: flagName,
    value,
    flip,
    recovery,
    harm: harm ?? null,
    canary: {
      ...trail,
      lastBeforeAt: toIso(trail.lastBeforeAt),
      lastAfterAt: toIso(trail.lastAfterAt),
    },
    verdict: typeof verdict === "object" ? verdict : null,
  };
}
