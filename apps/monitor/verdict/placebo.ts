import * as z from "zod";
import { FINER } from "../../../lib/telemetry/decks.js";
import { turnAt, type HostDeck } from "../../../lib/telemetry/host-decks.js";
import type { PlaceboReport } from "../../../lib/telemetry/monitor-state.js";
import type { RouteWindow } from "../../../lib/telemetry/telemetry.js";
import type { Baseline } from "./baseline/baseline.js";
import { summariseWorse } from "./describe-worse.js";
import { ReleaseTest } from "./release-test.js";
import type { TestRules } from "./stored-test.js";
import type { PairSide, WindowPair } from "./window-pair.js";

/** A day of turns. */
const MOST_TURNS = 144;
const MAX_REASON = 200;

const outcome = z.object({
  /** By Redis's clock. */
  turn: z.int(),
  host: z.string(),
  /** How it differs; null if it would not have stopped. */
  because: z.string().nullable(),
});
export const storedPlacebo = z.array(outcome).max(MOST_TURNS);
type Outcome = z.infer<typeof outcome>;

/**
 * Compares one of prod's hosts with the others by the test of a release, ten minutes each: how often it finds a difference is this
 * site's own rate of false stops. Only latency is compared. A comparison counts if it had the requests that find a host that
 * is slower by half. It never influences the verdict.
 */
export class Placebo {
  readonly #alpha: number;
  readonly #baseline: Baseline;
  #outcomes: Outcome[];
  /** As the proxies last reported; undefined before. */
  #hosts: number | undefined;
  #running: { turn: number; host: string; test: ReleaseTest } | undefined;
  /** A turn in which prod changed. */
  #spoiled = -1;

  /** @param alpha the verdict's @param baseline prod's, which learns elsewhere */
  constructor(
    alpha: number,
    baseline: Baseline,
    outcomes: readonly Outcome[] = [],
  ) {
    this.#alpha = alpha;
    this.#baseline = baseline;
    this.#outcomes = [...outcomes];
  }

  observe(pair: WindowPair, rules: TestRules): void {
    const { atMs, hostDecks } = pair;
    if (hostDecks === undefined) return;
    this.#hosts = hostDecks.hosts;
    const [first] = hostDecks.decks;
    if (first === undefined) return;
    const { compared: host, np } = first;
    const turn = turnAt(atMs);
    // The proxies' clocks decide whose turn it is.
    const running = this.#running;
    if (running?.host !== host || turn > running.turn + 1) {
      this.#conclude();
      if (this.#isDone(turn, host)) return;
      this.#running = { turn, host, test: start(atMs, rules) };
    }
    const decks = hostDecks.decks.filter((deck) => deck.np === np);
    const baseline = this.#baseline;
    this.#running?.test.observe(toPair(pair, decks, 1 / (np + 1)), {
      add: () => undefined,
      warmUpOf: (name) => baseline.warmUpOf(name),
      isRareAndServed: (name) => baseline.isRareAndServed(name),
    });
  }

  /** Ends a comparison that has found a difference. */
  judge(): void {
    const verdict = this.#running?.test.judge(this.#alpha, this.#baseline);
    if (verdict?.outcome === "worse") this.#conclude();
  }

  /** Prod runs several releases, or a new one: its hosts differ by more than chance. */
  spoil(atMs: number): void {
    this.#spoiled = turnAt(atMs);
    this.#running = undefined;
  }

  /** Of the last day. Undefined before the proxies have reported prod's hosts. */
  report(now: number): PlaceboReport | undefined {
    const since = turnAt(now) - MOST_TURNS;
    const outcomes = this.#outcomes.filter(({ turn }) => turn > since);
    if (this.#hosts === undefined && outcomes.length === 0) return undefined;
    const byHost = new Map<string, PlaceboReport["hosts"][number]>();
    for (const { host, because } of outcomes) {
      const known = byHost.get(host);
      byHost.set(host, {
        host,
        comparisons: (known?.comparisons ?? 0) + 1,
        stopped: (known?.stopped ?? 0) + (because === null ? 0 : 1),
        because: because ?? known?.because ?? null,
      });
    }
    return {
      prodHosts: this.#hosts ?? byHost.size,
      comparisons: outcomes.length,
      stopped: outcomes.filter(({ because }) => because !== null).length,
      hosts: [...byHost.values()],
    };
  }

  toStored(): Outcome[] {
    return this.#outcomes;
  }

  #isDone(turn: number, host: string): boolean {
    return (
      turn === this.#spoiled ||
      this.#outcomes.some((one) => one.turn === turn && one.host === host)
    );
  }

  #conclude(): void {
    if (this.#running === undefined) return;
    const { turn, host, test } = this.#running;
    this.#running = undefined;
    const verdict = test.judge(this.#alpha, this.#baseline);
    const isWorse = verdict.outcome === "worse";
    if (!isWorse && verdict.canaryRequestsNeeded !== 0) return;
    const because = isWorse
      ? summariseWorse(verdict).slice(0, MAX_REASON)
      : null;
    this.#outcomes = [...this.#outcomes, { turn, host, because }]
      .filter((one) => turn - one.turn < MOST_TURNS)
      .slice(-MOST_TURNS);
  }
}

/** Prod's hosts are warm, and no factor hides how they differ. */
function start(
  startedAt: number,
  { tolerance, stallMs }: TestRules,
): ReleaseTest {
  const rules = { tolerance, stallMs, warmUpMs: 0 };
  return new ReleaseTest({ startedAt, attempt: 0, rules });
}

/** As if the compared host were the canary. */
function toPair(
  { proxy, atMs }: WindowPair,
  decks: HostDeck[],
  share: number,
): WindowPair {
  return {
    ...{ proxy, atMs, share, decks },
    canary: sumSide(decks.flatMap(({ requests }) => requests.slice(0, 1))),
    prod: sumSide(decks.flatMap(({ requests }) => requests.slice(1))),
    alone: new Map(),
  };
}

function sumSide(requests: HostDeck["requests"]): PairSide {
  const routes = new Map<string, RouteWindow>();
  for (const [name, fine] of requests) {
    const bucket = Math.ceil(fine / FINER);
    const known = routes.get(name);
    routes.set(name, {
      errors: 0,
      requests: (known?.requests ?? 0) + 1,
      served: (known?.served ?? 0) + 1,
      latency: [...(known?.latency ?? []), [bucket, 1]],
    });
  }
  return { dealt: requests.length, routes };
}
