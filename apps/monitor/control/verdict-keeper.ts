import { isDeepStrictEqual } from "node:util";
import type { Redis } from "ioredis";
import * as z from "zod";
import type { Keys } from "../../../lib/redis/keys.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import {
  compareIds,
  entryTimeMs,
  parseJson,
} from "../../../lib/redis/stream-entry.js";
import {
  parseNotice,
  parseTelemetry,
  SIDES,
  type BadTelemetry,
  type Telemetry,
  type TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { PlaceboReport } from "../../../lib/telemetry/monitor-state.js";
import { refuseFenced } from "../leader/leadership.js";
import type { VerdictRule } from "../config.js";
import { Baseline, storedBaseline } from "../verdict/baseline/baseline.js";
import {
  HostFactor,
  storedHostFactor,
  type HostDifference,
} from "../verdict/baseline/host-factor.js";
import { describeWorse } from "../verdict/describe-worse.js";
import { OPEN_EPOCHS } from "../verdict/open-epochs.js";
import { Placebo, storedPlacebo } from "../verdict/placebo.js";
import { ReleaseTest } from "../verdict/release-test.js";
import { storedTest, type TestRules } from "../verdict/stored-test.js";
import type { Verdict } from "../verdict/verdict.js";
import {
  isDealing,
  WindowPairing,
  type WindowPair,
} from "../verdict/window-pair.js";

const KEEP_MS = 60_000;
const MAX_ATTEMPT = 20;
/** Entries that are read at once. */
const PAGE = 500;

/** All that is known after a telemetry entry: the telemetry since then leads to what is known later. */
const stored = z.object({
  /** The last telemetry entry that was counted. */
  cursor: z.string(),
  /** Windows of one side that wait for the other's. */
  halves: z.array(
    z.tuple([
      z.string(),
      z.object({ at: z.number(), data: z.custom<TrafficWindow>() }),
    ]),
  ),
  /** The flip that started or resumed the canary. */
  flip: z.string().nullable(),
  /** By agent. */
  versions: z.record(z.string(), z.string()),
  hosts: storedHostFactor,
  test: storedTest,
  baseline: storedBaseline,
  placebo: storedPlacebo.default([]),
});
type Stored = z.infer<typeof stored>;

/**
 * KEYS verdict, lease
 * ARGV state, fence
 */
const SAVE = `
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 'fenced' end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'fence', ARGV[2])
return 'saved'
`;

interface Heard {
  id: string;
  atMs: number;
  what: Telemetry | BadTelemetry;
}

interface KeeperOptions {
  redis: Redis;
  keys: Keys;
  config: { flagName: string; verdict: VerdictRule };
}

/**
 * Runs the test while this monitor leads. It stores the test as it was when the oldest open epoch began, with what has been
 * closed since. The next leader reads the telemetry again from there, and comes to the same figures. A new version or POST /api/release ends the test. So does a further try of the same version: the
 * canary is resumed, the split sends requests to both sides again, or the tolerance changes.
 */
export class VerdictKeeper {
  readonly #options: KeeperOptions;
  readonly #rule: VerdictRule;
  /** Entries to be counted. */
  #heard: Heard[] = [];
  #releasedAt = 0;
  #fence: string | undefined;
  /** What was known when each of the open epochs began, and whether that is stored. */
  #marks: Stored[] = [];
  /** What was known before the first window of an epoch that has not begun. */
  #candidate: Stored | undefined;
  #isSaved = false;
  #isWorse = false;
  #pairing = new WindowPairing();
  #baseline = new Baseline();
  #test: ReleaseTest | undefined;
  #cursor = "0-0";
  /** The last entry that was heard, counted or not. */
  #lastId = "0-0";
  #flip: string | null = null;
  #versions = new Map<string, string>();
  #hosts = new HostFactor();
  #placebo: Placebo;
  #verdict: Verdict | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#rule = options.config.verdict;
    this.#placebo = new Placebo(this.#rule.alpha, this.#baseline);
  }

  /** The last verdict; undefined before the first, or without a test. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** How the canary's hosts differ from prod's; undefined while that is not known. */
  get hostDifference(): HostDifference | undefined {
    return this.#hosts.difference;
  }

  /** How often the test finds a difference between prod's hosts; undefined while that is not known. */
  readPlacebo(now: number): PlaceboReport | undefined {
    return this.#placebo.report(now);
  }

  /** When a new release was last announced; 0 if never. */
  get releasedAt(): number {
    return this.#releasedAt;
  }

  /**
   * What is known of prod's latencies; undefined if nothing is. @param fence of this monitor's lease: without it, as the leading one
   * has stored it
   */
  async readBaseline(fence: string | undefined): Promise<Baseline | undefined> {
    if (fence !== undefined && fence === this.#fence) return this.#baseline;
    const known = await this.#readStored();
    return known && restoreBaseline(known);
  }

  /** The record for the ledger, from which the verdict can be replayed. */
  toRecord(): VerdictRecord | undefined {
    const { evidence = 0, routes = [] } = this.#verdict ?? {};
    return (
      this.#test && {
        alpha: this.#rule.alpha,
        test: this.#test.toRecord(),
        evidence,
        notCompared: Object.fromEntries(
          routes.flatMap(({ route, because }) =>
            because === null ? [] : [[route, because]],
          ),
        ),
      }
    );
  }

  onTelemetry(telemetry: Telemetry, atMs: number, id: string): void {
    this.#hear({ what: telemetry, atMs, id });
  }

  /** It may have been a window, and suspends the verdict as a malformed window does. */
  onSkipped(bad: BadTelemetry, atMs: number, id: string): void {
    if (bad.claimedKind !== "host") this.#hear({ what: bad, atMs, id });
  }

  /** Notes POST /api/release on any monitor. */
  onEvent({ kind, by, data }: LedgerEvent, atMs: number): void {
    const isTrusted = by === "operator" || by === "monitor";
    if (kind === "deploy" && isTrusted && data.release === true)
      this.#releasedAt = atMs;
  }

  /**
   * Counts the entries and judges.
   *
   * @param mixed why the sides are not compared: prod runs several releases
   * @throws FencedError; and when Redis is away
   */
  async look(
    flag: { value: boolean; flip: string | null },
    at: { fence: string; now: number },
    mixed?: string,
  ): Promise<Verdict | undefined> {
    if (this.#rule.mode === "off") return undefined;
    if (this.#fence !== at.fence) {
      await this.#load();
      this.#fence = at.fence;
    }
    this.#renew(flag, at.now);
    const heard = this.#heard;
    this.#heard = [];
    for (const entry of heard)
      if (compareIds(entry.id, this.#cursor) > 0) this.#count(entry);
    const { alpha } = this.#rule;
    if (mixed !== undefined) this.#placebo.spoil(at.now);
    this.#placebo.judge();
    const verdict = this.#test?.judge(alpha, this.#baseline);
    this.#verdict = verdict && present(verdict, flag.value, mixed);
    const isWorse = this.#test?.isWorse === true;
    if (isWorse !== this.#isWorse) this.#isSaved = false;
    this.#isWorse = isWorse;
    if (!this.#isSaved) await this.#save(at);
    return this.#verdict;
  }

  #hear(heard: Heard): void {
    this.#lastId = heard.id;
    // The first look reads from Redis what it needs.
    if (this.#fence === undefined) return;
    this.#heard.push(heard);
    const { atMs } = heard;
    const oldest = this.#heard[0]?.atMs ?? atMs;
    if (atMs - oldest > 2 * KEEP_MS)
      this.#heard = this.#heard.filter((entry) => atMs - entry.atMs <= KEEP_MS);
  }

  #renew(flag: { value: boolean; flip: string | null }, now: number): void {
    const test = this.#test;
    if (test === undefined) {
      this.#flip = flag.flip;
      this.#start(now, 0);
    } else if (this.#releasedAt > test.startedAt) this.#start(now, 0);
    else if (flag.value && flag.flip !== this.#flip) {
      this.#flip = flag.flip;
      this.#retry(test, now);
    } else if (!isDeepStrictEqual(test.rules, this.#testRules))
      this.#retry(test, now);
  }

  /** A try without canary requests has used up nothing of alpha. */
  #retry({ attempt, wasTried }: ReleaseTest, startedAt: number): void {
    const next = wasTried ? Math.min(MAX_ATTEMPT, attempt + 1) : attempt;
    this.#start(startedAt, next);
  }

  #start(startedAt: number, attempt: number): void {
    const rules = this.#testRules;
    this.#markStart(new ReleaseTest({ startedAt, attempt, rules }));
  }

  get #testRules(): TestRules {
    const { tolerance, stallMs, warmUpMs } = this.#rule;
    const hostFactor = this.#hosts.factor;
    return { tolerance, stallMs, warmUpMs, hostFactor };
  }

  #describe(test: ReleaseTest): Stored {
    return {
      cursor: this.#cursor,
      halves: this.#pairing.halves,
      flip: this.#flip,
      versions: Object.fromEntries(this.#versions),
      hosts: this.#hosts.toStored(),
      test: test.toStored(),
      baseline: this.#baseline.toStored(),
      placebo: this.#placebo.toStored(),
    };
  }

  /** Continues from what is known now. */
  #markStart(test: ReleaseTest): void {
    this.#test = test;
    this.#candidate = undefined;
    this.#marks = [this.#describe(test)];
    this.#isSaved = false;
  }

  #count(heard: Heard): void {
    const test = this.#test;
    if (test?.isTurnedBy(heard.atMs) === true)
      this.#candidate ??= this.#describe(test);
    this.#cursor = heard.id;
    this.#take(heard);
    if (test !== this.#test || this.#candidate === undefined) return;
    if (test?.isTurnedBy(heard.atMs) === true) return;
    // An epoch has begun.
    this.#marks = [...this.#marks, this.#candidate].slice(-OPEN_EPOCHS);
    this.#candidate = undefined;
    this.#isSaved = false;
  }

  #take({ atMs, what }: Heard): void {
    if ("problem" in what) {
      const because = `a window that cannot be read: ${what.problem}`;
      this.#test?.suspend(because, atMs);
      return;
    }
    const { source, at, kind, data } = what;
    if (kind === "host") {
      const { version, target } = data;
      const name = `${target} ${source}`;
      const known = this.#versions.get(name);
      if (version === null) return;
      this.#versions.set(name, version);
      if (known === undefined || known === version) return;
      if (target === "prod") {
        this.#baseline.clear();
        this.#placebo.spoil(atMs);
      }
      this.#hosts.forget();
      this.#start(atMs, 0);
      return;
    }
    const pair = this.#pairing.add(source, { at, data }, atMs);
    const test = this.#test;
    // An earlier window is of another release or try.
    if (pair === undefined || test === undefined || atMs < test.startedAt)
      return;
    const { share } = pair;
    if (test.isOneSided && share !== undefined && isDealing(share))
      this.#retry(test, atMs);
    this.#test?.observe(pair, this.#baseline);
    this.#placebo.observe(pair, test.rules);
    this.#learnHosts(pair);
  }

  /** What is learned holds for the tests that begin from then on. */
  #learnHosts({ atMs, decks }: WindowPair): void {
    const test = this.#test;
    if (test?.isWarm !== true || !this.#isOneVersion) return;
    if (!Array.isArray(decks) || !this.#hosts.learn(decks)) return;
    this.#start(atMs, test.attempt);
  }

  /** Whether canary and prod run the same version. */
  get #isOneVersion(): boolean {
    const names = [...this.#versions.keys()];
    return (
      new Set(this.#versions.values()).size === 1 &&
      SIDES.every((side) => names.some((name) => name.startsWith(`${side} `)))
    );
  }

  async #load(): Promise<void> {
    const known = await this.#readStored();
    if (known === undefined) {
      this.#cursor = this.#lastId;
      return;
    }
    const { cursor, halves, flip, versions, hosts, test } = known;
    this.#cursor = cursor;
    this.#flip = flip;
    this.#versions = new Map(Object.entries(versions));
    this.#hosts = HostFactor.restore(hosts);
    this.#baseline = restoreBaseline(known);
    const { alpha } = this.#rule;
    this.#placebo = new Placebo(alpha, this.#baseline, known.placebo);
    this.#pairing = new WindowPairing(halves);
    this.#isWorse = test.isWorse;
    this.#markStart(ReleaseTest.restore(test));
    await this.#readAgain();
  }

  async #readStored(): Promise<Stored | undefined> {
    const { redis, keys, config } = this.#options;
    const raw = await redis.hget(keys.verdict(config.flagName), "state");
    return stored.safeParse(parseJson(raw)).data;
  }

  /** Counts the telemetry since the stored state. */
  async #readAgain(): Promise<void> {
    const { redis, keys } = this.#options;
    for (;;) {
      const page = await redis.xread(
        ...(["COUNT", PAGE, "STREAMS", keys.telemetry] as const),
        this.#cursor,
      );
      const entries = page?.[0]?.[1] ?? [];
      for (const [id, fields] of entries) {
        const what = parseTelemetry(fields);
        const isOther =
          parseNotice(fields) !== undefined ||
          ("problem" in what &&
            (what.claimedKind === "gate" || what.claimedKind === "host"));
        if (isOther) this.#cursor = id;
        else this.#count({ id, atMs: entryTimeMs(id), what });
      }
      if (entries.length < PAGE) return;
    }
  }

  async #save({ fence }: { fence: string }): Promise<void> {
    const [earliest] = this.#marks;
    if (this.#test === undefined || earliest === undefined) return;
    const state: Stored = {
      ...earliest,
      test: this.#test.closeEarlier(earliest.test),
      placebo: this.#placebo.toStored(),
    };
    const { redis, keys, config } = this.#options;
    const outcome = await redis.eval(
      ...([SAVE, 2, keys.verdict(config.flagName), keys.lease] as const),
      ...[JSON.stringify(state), fence],
    );
    refuseFenced(outcome, fence);
    this.#isSaved = true;
  }
}

function present(verdict: Verdict, isOn: boolean, mixed?: string): Verdict {
  if (!isOn) return freeze(verdict);
  return mixed === undefined
    ? verdict
    : { ...verdict, outcome: null, because: mixed, canaryRequestsNeeded: null };
}

function restoreBaseline({ baseline, test }: Stored): Baseline {
  return Baseline.restore(baseline, test.lastAt ?? test.startedAt);
}

/** The canary gets no requests: the figures are those of the time before. */
function freeze(verdict: Verdict): Verdict {
  const because =
    verdict.outcome === "worse" ? describeWorse(verdict) : verdict.because;
  return {
    ...verdict,
    outcome: "stopped",
    because,
    canaryRequestsNeeded: null,
  };
}

const verdictRecord = z.object({
  alpha: z.number(),
  test: storedTest,
  evidence: z.number(),
  /** The reason, by route. */
  notCompared: z.record(z.string(), z.string()),
});
export type VerdictRecord = z.infer<typeof verdictRecord>;

/** The verdict of an event, from its counts in the ledger; undefined for an event without one. */
export function replayVerdict(
  event: LedgerEvent,
): { recorded: number; verdict: Verdict } | undefined {
  const parsed = verdictRecord.safeParse(event.data.verdict);
  if (!parsed.success) return undefined;
  const { alpha, test, evidence, notCompared } = parsed.data;
  const verdict = ReleaseTest.restore(test).judge(alpha, {
    warmUpOf: (route) => ({ because: notCompared[route] ?? "not compared" }),
  });
  return { recorded: evidence, verdict };
}
