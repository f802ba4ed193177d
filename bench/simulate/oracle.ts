import { createSeededRandom } from "../../test/support/seeded-random.js";
import { bucketOf, TOP_BUCKET } from "../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import { CHANGES, LAWS } from "./traffic.js";

const DRAWS = 200_000;
const createCounts = () => new Float64Array(TOP_BUCKET + 1);
const tables = new Map<string, Record<Side, Float64Array>>();

/**
 * The gain of a request in each of the telemetry's buckets for an oracle that knows both sides' laws: the lower bound for the
 * requests that such a test needs.
 */
export function oracleWinnings(
  lawName: string,
  changeName: string,
  share: number,
): Record<Side, Float64Array> {
  const name = `${lawName}, ${changeName}`;
  const known = tables.get(name);
  if (known !== undefined) return known;
  const random = createSeededRandom(1);
  const law = LAWS[lawName]!;
  const change = CHANGES[changeName]?.latency ?? ((ms: number) => ms);
  const [before, after] = [createCounts(), createCounts()];
  for (let i = 0; i < DRAWS; i++) {
    before[bucketOf(law(random))]! += 1;
    after[bucketOf(change(law(random), random))]! += 1;
  }
  // Adds a thousandth of a draw: a bucket without draws gives no information.
  const ratios = after.map(
    (n, bucket) => (n + 0.001) / (before[bucket]! + 0.001),
  );
  const rest = ratios.map((ratio) => -Math.log(1 - share + share * ratio));
  const winnings = {
    prod: rest,
    canary: rest.map((log, bucket) => log + Math.log(ratios[bucket]!)),
  };
  tables.set(name, winnings);
  return winnings;
}
