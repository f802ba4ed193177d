import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { CliError, EXIT } from "../../exit-status.js";
import type { MonitorClient } from "../../sources/monitor-client.js";
import {
  count,
  createDoubt,
  createRefusal,
  describeTooLittle,
  findDoubt,
  findObstacle,
  judgeErrors,
  type Tally,
  type WatchSettings,
} from "./judgement.js";

const POLL_MS = 500;
/** A standby monitor takes over within 5 s, and a service restarts faster than that: shorter outages are tolerated. */
const TOLERANCE_MS = 6000;
const MAX_FLIPS = 1000;

/** How time passes. */
export interface Clock {
  /** In ms. */
  now: () => number;
  /** Rejects when the watch is to end. */
  wait: (ms: number) => Promise<unknown>;
}

export interface CanaryWatch {
  monitor: MonitorClient;
  settings: WatchSettings;
  clock: Clock;
  say: (line: string) => void;
}

/**
 * Watches the canary until it is good: enough requests for long enough, the flag stayed true, and the verdict is healthy.
 *
 * @returns the number of requests that the canary served
 * @throws CliError with EXIT.problem if the canary is bad, and with EXIT.undecided if too little is known in time
 */
export async function watchCanary(watch: CanaryWatch): Promise<number> {
  const { settings, clock, say } = watch;
  const startedAt = clock.now();
  const memory: Memory = { after: undefined, goodAt: startedAt };
  await readWatchableState(watch, memory);
  const watchedSince = clock.now();
  const tally = { requests: 0, errors: 0, countedUntil: watchedSince };
  for (; ; await clock.wait(POLL_MS)) {
    const state = await readWatchableState(watch, memory);
    const now = clock.now();
    if (count(tally, state.sides.canary, now)) {
      const seconds = Math.round((now - watchedSince) / 1000);
      say(`${seconds} s: ${tally.requests} requests, ${tally.errors} errors`);
      const refusal = judgeErrors(tally, settings);
      if (refusal !== undefined) throw refusal;
    }
    const isLongEnough = now - watchedSince >= settings.watchMs;
    if (isLongEnough && isGood(tally, state, settings)) return tally.requests;
    if (now - startedAt >= settings.limitMs)
      throw describeDoubt(tally, state, settings);
  }
}

/** @throws CliError with EXIT.refused while the flag is false: a release would be judged by what an older one did */
export async function admitByFlag(monitor: MonitorClient): Promise<void> {
  const { flag } = await monitor.readOwnState();
  if (!flag.value)
    throw new CliError(
      EXIT.refused,
      `not built: the flag is false, by ${flag.by ?? "nobody"}: ${flag.reason ?? "no reason"}. Build again when the canary may have traffic: serin flag on, or after the automatic retry`,
    );
}

interface Memory {
  /** Later events count. */
  after: string | undefined;
  goodAt: number;
}

function isGood(
  { requests }: Tally,
  { verdict }: StateReport,
  settings: WatchSettings,
): boolean {
  return requests >= settings.requests && findDoubt(verdict) === undefined;
}

function describeDoubt(
  tally: Tally,
  { verdict, proxies }: StateReport,
  settings: WatchSettings,
): CliError {
  const doubt = findDoubt(verdict);
  return createDoubt(
    tally.requests >= settings.requests && doubt !== undefined
      ? doubt
      : describeTooLittle(tally, settings, proxies),
  );
}

/** Reads the state, waiting for obstacles to pass. @throws CliError when one lasts */
async function readWatchableState(
  { monitor, clock }: CanaryWatch,
  memory: Memory,
): Promise<StateReport> {
  for (; ; await clock.wait(POLL_MS)) {
    const now = clock.now();
    let obstacle: CliError | undefined;
    try {
      memory.after ??= await readNewestId(monitor);
      const state = await readState(monitor, memory.after);
      obstacle = findObstacle(state);
      if (obstacle === undefined) {
        memory.goodAt = now;
        return state;
      }
    } catch (err) {
      if (!(err instanceof CliError) || err.status !== EXIT.unreachable)
        throw err;
      obstacle = createDoubt(err.message);
    }
    if (now - memory.goodAt >= TOLERANCE_MS) throw obstacle;
  }
}

async function readNewestId(monitor: MonitorClient): Promise<string> {
  const [newest] = await monitor.readEvents({ limit: 1 });
  return newest?.id ?? "0-0";
}

/** @throws CliError when the flag is false, or was false at any time since the event `after` */
async function readState(
  monitor: MonitorClient,
  after: string,
): Promise<StateReport> {
  const [state, flips] = await Promise.all([
    monitor.readOwnState(),
    monitor.readEvents({ kind: "flip", limit: MAX_FLIPS, after }),
  ]);
  const { flag } = state;
  if (!flag.value)
    throw createRefusal(
      `the flag is false, by ${flag.by ?? "nobody"}: ${flag.reason ?? "no reason"}`,
    );
  const flip = flips.find(
    ({ data }) => data.flag === flag.name && data.value === false,
  );
  if (flip !== undefined)
    throw createRefusal(
      `the flag was false at ${flip.at}, by ${flip.by}: ${flip.reason}`,
    );
  return state;
}
