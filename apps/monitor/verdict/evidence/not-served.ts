import * as z from "zod";
import {
  SIDES,
  type RouteWindow,
  type Side,
} from "../../../../lib/telemetry/telemetry.js";
import { errorEvidence, type ErrorCounts } from "./error-evidence.js";
import { logSumExp } from "./total.js";

type BySide = Record<Side, number>;

const count = z.int().nonnegative();
const bySide = z.object({ prod: count, canary: count });
const byShare = z.array(z.tuple([z.number().gt(0).lt(1), bySide]));
/** Requests by route, and refusals by route and status. */
export const storedRefusals = z.object({
  requests: z.array(z.tuple([z.string(), bySide])),
  refusals: z.array(
    z.object({ route: z.string(), status: z.string(), counts: byShare }),
  ),
});
type Stored = z.infer<typeof storedRefusals>;

/** A route and status that the canary shows more often than prod. */
export interface NotServed {
  route: string;
  status: string;
  /** Of all requests on the route. */
  canaryRatio: number;
  prodRatio: number;
}

interface Cell {
  route: string;
  status: string;
  counts: Map<number, BySide>;
}

/** More routes and statuses count in the sum of all alone. */
const MAX_CELLS = 200;
/** Statuses of all routes together, so that a fault of all routes is found as fast as one of a single route. */
const ALL: Pick<Cell, "route" | "status"> = { route: "", status: "" };

/**
 * Requests that an app answered without serving them (400 to 498). Each route and status is tested like errors: prod's
 * own rate is expected of the canary. Half of the stake is on the sum of all, the k-th route and status has 1/(2k(k+1)).
 */
export class Refusals {
  readonly #requests = new Map<string, BySide>();
  readonly #all: Cell = { ...ALL, counts: new Map() };
  readonly #cells = new Map<string, Cell>();

  /** @param share the canary's share by the split */
  add(
    share: number,
    side: Side,
    routes: ReadonlyMap<string, Pick<RouteWindow, "requests" | "refused">>,
  ): void {
    for (const [route, { requests, refused = {} }] of routes) {
      this.#requestsOf(route)[side] += requests;
      for (const [status, count] of Object.entries(refused)) {
        countsOf(this.#all, share)[side] += count;
        const cell = this.#cellOf(route, status);
        if (cell !== undefined) countsOf(cell, share)[side] += count;
      }
    }
  }

  /** As a logarithm, with the route and status that weigh most. */
  weigh(): { evidence: number; worst: NotServed | null } {
    const total = { prod: 0, canary: 0 };
    for (const requests of this.#requests.values())
      for (const side of SIDES) total[side] += requests[side];
    let worst: NotServed | null = null;
    let most = -Infinity;
    const bets = [...this.#cells.values()].map((cell, i) => {
      const requests = this.#requestsOf(cell.route);
      const evidence = weighCell(cell, requests.canary);
      if (evidence > most) {
        most = evidence;
        worst = describe(cell, requests);
      }
      return evidence - Math.log(2 * (i + 1) * (i + 2));
    });
    const all = weighCell(this.#all, total.canary) - Math.LN2;
    return { evidence: logSumExp([all, ...bets]), worst };
  }

  toStored(): Stored {
    return {
      requests: structuredClone([...this.#requests]),
      refusals: [this.#all, ...this.#cells.values()].map(
        ({ route, status, counts }) => ({
          route,
          status,
          counts: structuredClone([...counts]),
        }),
      ),
    };
  }

  static restore({ requests, refusals }: Stored): Refusals {
    const restored = new Refusals();
    for (const [route, counts] of requests)
      Object.assign(restored.#requestsOf(route), counts);
    for (const { route, status, counts } of refusals) {
      const isAll = route === ALL.route && status === ALL.status;
      const cell = isAll ? restored.#all : restored.#cellOf(route, status);
      for (const [share, sides] of counts)
        if (cell !== undefined) cell.counts.set(share, { ...sides });
    }
    return restored;
  }

  #requestsOf(route: string): BySide {
    const known = this.#requests.get(route) ?? { prod: 0, canary: 0 };
    this.#requests.set(route, known);
    return known;
  }

  #cellOf(route: string, status: string): Cell | undefined {
    const key = `${route} ${status}`;
    const known = this.#cells.get(key);
    if (known !== undefined || this.#cells.size >= MAX_CELLS) return known;
    const cell = { route, status, counts: new Map<number, BySide>() };
    this.#cells.set(key, cell);
    return cell;
  }
}

function countsOf({ counts }: Cell, share: number): BySide {
  const known = counts.get(share) ?? { prod: 0, canary: 0 };
  counts.set(share, known);
  return known;
}

function weighCell({ counts }: Cell, canaryRequests: number): number {
  const list: ErrorCounts[] = [...counts].map(([share, { prod, canary }]) => ({
    share,
    canaryErrors: canary,
    prodErrors: prod,
  }));
  return list.length === 0 ? 0 : errorEvidence(list, canaryRequests);
}

function describe({ route, status, counts }: Cell, requests: BySide) {
  const ratio = (side: Side) => {
    let refused = 0;
    for (const sides of counts.values()) refused += sides[side];
    return requests[side] === 0 ? 0 : refused / requests[side];
  };
  return {
    route,
    status,
    canaryRatio: ratio("canary"),
    prodRatio: ratio("prod"),
  };
}
