import {
  createGuardSums,
  guard,
  withBlock,
  type Block,
} from "./evidence/burst-guard.js";
import { errorEvidence } from "./evidence/error-evidence.js";
import { Refusals } from "./evidence/not-served.js";
import {
  addWinnings,
  createByComponent,
  mix,
  smallerOf,
} from "./evidence/latency-evidence.js";
import type { RouteCounts } from "./route-counts.js";
import {
  checkShare,
  correctedShare,
  type Dealt,
} from "./evidence/share-check.js";
import type { Stretch } from "./stretch.js";
import { totalEvidence } from "./evidence/total.js";

export interface Evidence {
  raw: number;
  guarded: number;
  blocks: number;
  errors: number;
  total: number;
  notServed: number;
  /** The total without the guard. */
  unguarded: number;
  split: number;
}

/**
 * The evidence of all counts of a stretch, as logarithms.
 *
 * @param open the guard's current block, unless it is empty
 */
export function weigh(
  stretch: Pick<Stretch, "routes" | "splits" | "guard" | "refusals">,
  open: Block | undefined,
): Evidence {
  const { routes, splits } = stretch;
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
    open === undefined ? stretch.guard : withBlock(stretch.guard, open);
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
    notServed: stretch.refusals.weigh().evidence,
    total: totalEvidence(Math.min(raw, guarded), errors),
    unguarded: totalEvidence(raw, errors),
    split: splits.reduce(
      (sum, { share, dealt }) => sum + checkShare({ share, ...dealt }),
      0,
    ),
  };
}

/** The latency evidence of one route, without the guard. */
export function weighRoute(route: RouteCounts): number {
  const routes = new Map([["", route]]);
  const none = { splits: [], guard: createGuardSums() };
  return weigh({ routes, ...none, refusals: new Refusals() }, undefined).raw;
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
