import * as z from "zod";
import {
  SIDES,
  type RouteWindow,
  type Side,
} from "../../../../lib/telemetry/telemetry.js";
import { errorEvidence } from "./error-evidence.js";
import { logSumExp } from "./total.js";

type BySide = Record<Side, number>;

const bySide = z.object({
  prod: z.int().nonnegative(),
  canary: z.int().nonnegative(),
});
const cell = z.object({
  route: z.string(),
  status: z.string(),
  /** Refusals by the canary's share. */
  counts: z.record(z.string(), bySide),
});
type Cell = z.infer<typeof cell>;

export const storedRefusals = z.object({
  /** All requests, by route. */
  requests: z.array(z.tuple([z.string(), bySide])),
  /** Of all routes together, so that a fault of all of them is found as fast as one of a single route. */
  all: cell,
  cells: z.array(cell),
});
type Stored = z.infer<typeof storedRefusals>;

/** A route and status that the canary shows more often than prod. */
export const notServed = z.object({
  route: z.string(),
  status: z.string(),
  /** Of all requests on the route. */
  canaryRatio: z.number(),
  prodRatio: z.number(),
});
export type NotServed = z.infer<typeof notServed>;

/** The status of requests that failed: 5xx, or no answer. */
export const FAILED = "5xx";
/** More routes and statuses count in the sum of all alone. */
const MAX_CELLS = 200;

/**
 * Requests that an app did not serve: answered with 400 to 498, or failed. They count from the first request and on every
 * route, compared or not. Each route and status is tested by itself: prod's own rate is expected of the canary. Half of the stake is on the sum of all, the k-th route and status has 1/(2k(k+1)).
 */
export class Refusals {
  readonly #requests: Map<string, BySide>;
  readonly #all: Cell;
  readonly #cells: Cell[];

  constructor(stored?: Stored) {
    const { requests, all, cells } = structuredClone(stored) ?? {};
    this.#requests = new Map(requests);
    this.#all = all ?? { route: "", status: "", counts: {} };
    this.#cells = cells ?? [];
  }

  /** @param share the canary's share by the split */
  add(
    share: number,
    side: Side,
    routes: ReadonlyMap<
      string,
      Pick<RouteWindow, "requests" | "refused" | "errors">
    >,
  ): void {
    for (const [route, { requests, refused, errors }] of routes) {
      this.#requestsOn(route)[side] += requests;
      const answers = { ...refused, ...(errors > 0 && { [FAILED]: errors }) };
      for (const [status, count] of Object.entries(answers))
        for (const { counts } of this.#cellsOf(route, status)) {
          const sides = counts[share] ?? { prod: 0, canary: 0 };
          sides[side] += count;
          counts[share] = sides;
        }
    }
  }

  /** As a logarithm, with the route and status that weigh most. */
  weigh(): { evidence: number; worst: NotServed | null } {
    let worst: NotServed | null = null;
    let most = -Infinity;
    const bets = this.#cells.map((cell, i) => {
      const requests = this.#requestsOn(cell.route);
      const evidence = weighCell(cell, requests.canary);
      if (evidence > most) {
        most = evidence;
        worst = describe(cell, requests);
      }
      return evidence - Math.log(2 * (i + 1) * (i + 2));
    });
    const { canary } = sum([...this.#requests.values()]);
    bets.push(weighCell(this.#all, canary) - Math.LN2);
    return { evidence: logSumExp(bets), worst };
  }

  toStored(): Stored {
    const requests = [...this.#requests];
    return structuredClone({ requests, all: this.#all, cells: this.#cells });
  }

  /** The sum of all, and the cell of its own, if there is room. */
  #cellsOf(route: string, status: string): Cell[] {
    const known = this.#cells.find(
      (cell) => cell.route === route && cell.status === status,
    );
    if (known !== undefined) return [this.#all, known];
    if (this.#cells.length === MAX_CELLS) return [this.#all];
    const cell = { route, status, counts: {} };
    this.#cells.push(cell);
    return [this.#all, cell];
  }

  #requestsOn(route: string): BySide {
    const known = this.#requests.get(route) ?? { prod: 0, canary: 0 };
    this.#requests.set(route, known);
    return known;
  }
}

function sum(counts: readonly BySide[]): BySide {
  const total = { prod: 0, canary: 0 };
  for (const one of counts) for (const side of SIDES) total[side] += one[side];
  return total;
}

function weighCell({ counts }: Cell, canaryRequests: number): number {
  const list = Object.entries(counts).map(([share, { prod, canary }]) => ({
    share: Number(share),
    canaryErrors: canary,
    prodErrors: prod,
  }));
  return list.length === 0 ? 0 : errorEvidence(list, canaryRequests);
}

function describe({ route, status, counts }: Cell, requests: BySide) {
  const refused = sum(Object.values(counts));
  const ratio = (side: Side) => refused[side] / Math.max(1, requests[side]);
  return {
    route,
    status,
    canaryRatio: ratio("canary"),
    prodRatio: ratio("prod"),
  };
}
