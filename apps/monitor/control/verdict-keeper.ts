import { isDeepStrictEqual } from "node:util";
import type { Redis } from "ioredis";
import * as z from "zod";
import type { Keys } from "../../../lib/redis/keys.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { compareIds, parseJson } from "../../../lib/redis/stream-entry.js";
import type {
  BadTelemetry,
  Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import { refuseFenced } from "../leader/leadership.js";
import type { VerdictRule } from "../config.js";
import { Baseline, storedBaseline } from "../verdict/baseline.js";
import { ReleaseTest } from "../verdict/release-test.js";
import { storedTest } from "../verdict/stored-test.js";
import type { Verdict } from "../verdict/verdict.js";
import { isDealing, WindowPairing } from "../verdict/window-pair.js";

const KEEP_MS = 60_000;
const SAVE_INTERVAL_MS = 1000;
const MAX_ATTEMPT = 20;

const stored = z.object({
  /** The last telemetry entry that was counted. */
  cursor: z.string(),
  /** The flip that started or resumed the canary. */
  flip: z.string().nullable(),
  /** By agent. */
  versions: z.record(z.string(), z.string()),
  test: storedTest,
  baseline: storedBaseline,
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
 * Runs the test while this monitor leads, and stores it once a second. The next leader continues it, from the entry after
 * the last counted one. A new version or POST /api/release ends the test. So does a further try of the same version: the
 * canary is resumed, the split sends requests to both sides again, or the tolerance changes.
 */
export class VerdictKeeper {
  readonly #options: KeeperOptions;
  readonly #rule: VerdictRule;
  /** Entries that the stored test may lack. */
  #heard: Heard[] = [];
  #releasedAt = 0;
  #fence: string | undefined;
  #savedAt = -Infinity;
  #pairing = new WindowPairing();
  #baseline = new Baseline();
  #test: ReleaseTest | undefined;
  #cursor = "0-0";
  #flip: string | null = null;
  #versions = new Map<string, string>();
  #verdict: Verdict | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#rule = options.config.verdict;
  }

  /** The last verdict; undefined before the first, or without a test. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** When a new release was last announced; 0 if never. */
  get releasedAt(): number {
    return this.#releasedAt;
  }

  /** The record for the ledger, from which the verdict can be replayed. */
  toRecord(): VerdictRecord | undefined {
    const { evidence = 0, routes = [] } = this.#verdict ?? {};
    return (
      this.#test && {
        alpha: this.#rule.alpha,
        test: this.#test.toStored(),
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

  /** Counts the entries and judges. @throws FencedError; and when Redis is away */
  async look(
    flag: { value: boolean; flip: string | null },
    at: { fence: string; now: number },
  ): Promise<Verdict | undefined> {
    if (this.#rule.mode === "off") return undefined;
    if (this.#fence !== at.fence) {
      await this.#load();
      this.#fence = at.fence;
    }
    this.#renew(flag, at.now);
    for (const entry of this.#heard)
      if (compareIds(entry.id, this.#cursor) > 0) this.#count(entry);
    this.#verdict = this.#test?.judge(this.#rule.alpha, this.#baseline);
    // Redis's clock may have been set back.
    if (Math.abs(at.now - this.#savedAt) >= SAVE_INTERVAL_MS)
      await this.#save(at);
    return this.#verdict;
  }

  #hear(heard: Heard): void {
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
    } else if (!isDeepStrictEqual(test.tolerance, this.#rule.tolerance))
      this.#retry(test, now);
  }

  /** A try without canary requests has used up nothing of alpha. */
  #retry({ attempt, wasTried }: ReleaseTest, startedAt: number): void {
    const next = wasTried ? Math.min(MAX_ATTEMPT, attempt + 1) : attempt;
    this.#start(startedAt, next);
  }

  #start(startedAt: number, attempt: number): void {
    const { tolerance } = this.#rule;
    this.#test = new ReleaseTest({ startedAt, attempt, tolerance });
  }

  #count({ id, atMs, what }: Heard): void {
    this.#cursor = id;
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
      if (target === "prod") this.#baseline.clear();
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
  }

  async #load(): Promise<void> {
    const { redis, keys, config } = this.#options;
    const raw = await redis.hget(keys.verdict(config.flagName), "state");
    const parsed = stored.safeParse(parseJson(raw));
    if (!parsed.success) return;
    const { cursor, flip, versions, test, baseline } = parsed.data;
    this.#cursor = cursor;
    this.#flip = flip;
    this.#versions = new Map(Object.entries(versions));
    this.#test = ReleaseTest.restore(test);
    this.#baseline = Baseline.restore(baseline);
    this.#pairing = new WindowPairing();
  }

  async #save({ fence, now }: { fence: string; now: number }): Promise<void> {
    if (this.#test === undefined) return;
    const state: Stored = {
      cursor: this.#cursor,
      flip: this.#flip,
      versions: Object.fromEntries(this.#versions),
      test: this.#test.toStored(),
      baseline: this.#baseline.toStored(),
    };
    const { redis, keys, config } = this.#options;
    const outcome = await redis.eval(
      ...([SAVE, 2, keys.verdict(config.flagName), keys.lease] as const),
      ...[JSON.stringify(state), fence],
    );
    refuseFenced(outcome, fence);
    this.#savedAt = now;
    // Not earlier: after a regained lease, the entries since the stored state are counted again.
    this.#heard = this.#heard.filter(
      ({ id }) => compareIds(id, state.cursor) > 0,
    );
  }
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
