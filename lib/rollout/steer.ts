import type { FlipBy } from "../flag/ledger.js";
import {
  expectReceipts,
  type FlipEffect,
  type Place,
} from "../flag/receipts.js";
import { RolloutStore, type StoredRollout } from "./rollout-store.js";
import { decide, type Change, type Request } from "./transitions.js";

/** Others may change the rollout between reading and writing. */
const TRIES = 5;

export type Steered =
  | {
      sentence: string;
      /** Waits for the proxies' receipts, for two seconds at most; undefined if the change concerns no proxy. */
      readEffect: () => Promise<FlipEffect | undefined>;
    }
  /** Why nothing was changed. `isLate`: somebody else has changed the rollout at this moment. */
  | { refusal: string; isLate: boolean };

/** Changes the rollout for a person, and returns at once. @throws if Redis is unreachable, as does `readEffect` */
export async function steer(
  place: Place,
  request: Request,
  cause: {
    by: FlipBy;
    /** For the ledger. */
    explain: (sentence: string) => string;
    data?: Record<string, unknown>;
    supersedes?: string;
  },
): Promise<Steered> {
  const store = new RolloutStore(place.redis, place.keys, place.flagName);
  const { explain, ...shared } = cause;
  for (let tries = 1; ; tries += 1) {
    const [reading, receipts] = await Promise.all([
      store.read(),
      expectReceipts(place),
    ]);
    const decision = decide(reading, request, reading.now);
    if ("refusal" in decision) return { ...decision, isLate: false };
    const { change, sentence } = decision;
    const reason = explain(sentence);
    const outcome = await store.apply(change, { ...shared, reason });
    if (outcome === "changed")
      return {
        sentence,
        readEffect: () => readEffect(change, { reading, receipts }),
      };
    // The next step may have begun, and a person has not asked to leave that one.
    const isMeantOnce =
      request.verb === "promote" || cause.supersedes !== undefined;
    if (isMeantOnce || tries === TRIES)
      return {
        refusal: "the rollout has changed at this moment",
        isLate: true,
      };
  }
}

async function readEffect(
  { flag: value, weight }: Change,
  before: {
    reading: StoredRollout;
    receipts: Awaited<ReturnType<typeof expectReceipts>>;
  },
): Promise<FlipEffect | undefined> {
  const { reading, receipts } = before;
  if (value === false || (value === true && !reading.flag))
    return await receipts.ofFlip(value, reading.flag !== value);
  if (typeof weight === "number" && String(weight) !== reading.rawWeight)
    return await receipts.ofWeight(weight);
  return undefined;
}
