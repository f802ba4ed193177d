import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { LedgerEvent } from "../../lib/flag/ledger-event.js";
import type { Keys } from "../../lib/redis/keys.js";
import { readBackwards } from "../../lib/redis/stream-follower.js";
import {
  LatencyHistogram,
  upperEdgeMs,
} from "../../lib/telemetry/latency-histogram.js";
import {
  parseTelemetry,
  type TrafficWindow,
} from "../../lib/telemetry/telemetry.js";
import { formatCount } from "../../lib/wording/units.js";
import { LaunchError } from "./config.js";
import type { LaunchContext } from "./launch-context.js";
import { withRedis } from "./ledger.js";
import type { Layout } from "./processes/programs.js";
import { createScreenLogger } from "./screen.js";

/** Requests that wait for the canary when it is stopped may go on waiting for as long as their clients have patience. */
const SETTLE_MS = 10_000;
const POLL_MS = 250;
/** People do not notice less. */
const UNNOTICED_MS = 100;

type Window = Pick<
  TrafficWindow,
  "target" | "errors" | "latency" | "arms" | "waiting"
>;

/** Shows after each stop of the canary what users have met since it was let in, or since its last fault. */
export class HarmReport {
  readonly #layout: Layout;
  readonly #context: LaunchContext;
  /** In ms since the epoch, by the clock of the proxy, which runs here. */
  #since = Date.now();

  constructor(layout: Layout, context: LaunchContext) {
    this.#layout = layout;
    this.#context = context;
  }

  restart(): void {
    this.#since = Date.now();
  }

  readonly onEvent = ({ kind, by, data }: LedgerEvent): void => {
    if (kind !== "flip") return;
    if (data.value === true) this.restart();
    else if (by !== "operator") void this.#report(Date.now());
  };

  async #report(stoppedAt: number): Promise<void> {
    const since = this.#since;
    const { screen, signal } = this.#context;
    try {
      const windows = await withRedis(
        this.#layout,
        createScreenLogger(screen),
        (redis, keys) => readSettled(redis, keys, { since, stoppedAt, signal }),
      );
      screen.event("harm", describeHarm(windows));
    } catch (err) {
      // The screen says elsewhere that Redis is away.
      if (!signal.aborted && !(err instanceof LaunchError)) throw err;
    }
  }
}

/**
 * `stopped after 41 canary requests · 9 users waited · prod untouched`: those waited whose wait
 * could be noticed and was longer than 99 of 100 at prod.
 *
 * @param windows newest first
 */
export function describeHarm(windows: readonly Window[]): string {
  const prod = windows.filter(({ target }) => target === "prod");
  const canary = windows.filter(({ target }) => target === "canary");
  const latency = new LatencyHistogram();
  for (const one of prod) latency.merge(one.latency);
  const patienceMs = Math.max(UNNOTICED_MS, latency.quantile(0.99) ?? 0);
  const stillWaiting = canary[0]?.waiting ?? [];
  const waited = canary
    .flatMap((one) => one.latency)
    .concat(stillWaiting)
    .filter(([bucket]) => upperEdgeMs(bucket) > patienceMs)
    .reduce((sum, [, count]) => sum + count, 0);
  const sum = (of: readonly Window[], count: (one: Window) => number) =>
    of.reduce((total, one) => total + count(one), 0);
  const requests = sum(canary, ({ arms }) => arms.chosen);
  const rescued = sum(canary, ({ arms }) => arms.retried);
  const failed = sum(canary, ({ errors }) => errors) - rescued;
  const prodFailed = sum(prod, ({ errors }) => errors);
  const met = [
    waited > 0 && `${formatUsers(waited)} waited`,
    failed > 0 && `${formatUsers(failed)} got an error`,
    rescued > 0 && `prod answered ${formatCount(rescued)} in its place`,
  ].filter((part) => part !== false);
  return [
    `stopped after ${formatCount(requests)} canary requests`,
    ...(waited + failed === 0 ? [...met, "no user noticed"] : met),
    prodFailed === 0
      ? "prod untouched"
      : `prod failed ${formatCount(prodFailed)} requests`,
  ].join(" · ");
}

function formatUsers(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "user" : "users"}`;
}

/** Reads the proxies' windows once no request waits any more for a canary that was stopped. */
async function readSettled(
  redis: Redis,
  keys: Keys,
  options: { since: number; stoppedAt: number; signal: AbortSignal },
): Promise<TrafficWindow[]> {
  const { since, stoppedAt, signal } = options;
  const giveUpAt = performance.now() + SETTLE_MS;
  for (;;) {
    const windows = await readWindows(redis, keys, since);
    const last = windows.find(({ data }) => data.target === "canary");
    const isSettled =
      last !== undefined &&
      last.at > stoppedAt &&
      (last.data.waiting ?? []).length === 0;
    if (isSettled || performance.now() > giveUpAt)
      return windows.map(({ data }) => data);
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Newest first. */
async function readWindows(redis: Redis, keys: Keys, since: number) {
  const windows: { at: number; data: TrafficWindow }[] = [];
  for await (const [, fields] of readBackwards(redis, keys.telemetry, "0")) {
    const telemetry = parseTelemetry(fields);
    if ("problem" in telemetry) continue;
    const { kind, at, data } = telemetry;
    if (at < since) break;
    if (kind === "traffic") windows.push({ at, data });
  }
  return windows;
}
