import {
  createGuardSums,
  guard,
  withBlock,
  type GuardSums,
} from "./burst-guard.js";
import { errorEvidence } from "./error-evidence.js";
import {
  addWinnings,
  createByComponent,
  mix,
  smallerOf,
} from "./latency-evidence.js";
import type { OpenBlock } from "./open-block.js";
import type { RouteCounts } from "./route-counts.js";
import { checkShare, correctedShare, type Dealt } from "./share-check.js";
import { totalEvidence } from "./total.js";

type BySide = Record<"prod" | "canary", number>;

/** What was counted while the canary's share was the same. Requests and errors are those of the compared routes. */
export interface SplitCounts {
  share: number;
  dealt: BySide;
  requests: BySide;
  errors: BySide;
}

export interface Evidence {
  raw: number;
  guarded: number;
  blocks: number;
  errors: number;
  total: number;
  split: number;
}

/** The evidence, as logarithms, of everything counted so far. */
export function weigh(test: {
  routes: ReadonlyMap<string, RouteCounts>;
  splits: readonly SplitCounts[];
  guard: GuardSums;
  block: OpenBlock | undefined;
}): Evidence {
  const { routes, splits, block } = test;
  const corrected = correctShares(routes.values());
  const configured = createByComponent();
  const seen = createByComponent();
  for (const route of routes.values())
    for (const [share, counts] of route.byShare()) {
      addWinnings(configured, counts, route.dictionary, share);
      const asSeen = corrected.get(share) ?? share;
      addWinnings(seen, counts, route.dictionary, asSeen);
    }
  const components = smallerOf(configured, seen);
  const sums =
    block === undefined || block.isEmpty
      ? test.guard
      : withBlock(test.guard, block.sum(routes));
  const raw = mix(components);
  const guarded = mix(guard(components, sums));
  const errors = errorEvidence(
    splits.map((split) => ({
      share: split.share,
      canaryErrors: split.errors.canary,
      prodErrors: split.errors.prod,
    })),
    splits.reduce((sum, { requests }) => sum + requests.canary, 0),
  );
  return {
    raw,
    guarded,
    blocks: sums.blocks,
    errors,
    total: totalEvidence(Math.min(raw, guarded), errors),
    split: splits.reduce(
      (sum, { share, dealt }) => sum + checkShare({ share, ...dealt }),
      0,
    ),
  };
}

/** One route's latency evidence by itself, without guard. */
export function weighRoute(route: RouteCounts): number {
  return weigh({
    routes: new Map([["", route]]),
    splits: [],
    guard: createGuardSums(),
    block: undefined,
  }).raw;
}

/** ρ̂ for each ρ, over all routes. */
function correctShares(routes: Iterable<RouteCounts>): Map<number, number> {
  const totals = new Map<number, Dealt>();
  for (const route of routes)
    for (const [share, { canary, prod }] of route.byShare()) {
      const total = totals.get(share) ?? { share, canary: 0, prod: 0 };
      for (const count of canary) total.canary += count;
      for (const count of prod) total.prod += count;
      totals.set(share, total);
    }
  return new Map(
    [...totals].map(([share, total]) => [share, correctedShare(total)]),
  );
}
