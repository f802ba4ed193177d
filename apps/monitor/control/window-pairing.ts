import { readShare } from "../../../lib/telemetry/split-ratio.js";
import type {
  RouteWindow,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { WindowPair } from "../verdict/window-pair.js";

interface Half {
  at: number;
  data: TrafficWindow;
}

/**
 * Brings both sides of a proxy's window together. One whose other half is lost is dropped: alone it would make a side
 * look as if it had been dealt nothing.
 */
export class WindowPairing {
  readonly #halves = new Map<string, Half>();

  /** The pair that this window completes, if it does, and if its proxy counts by route. */
  add(source: string, window: Half, atMs: number): WindowPair | undefined {
    const other = this.#halves.get(source);
    if (other?.at !== window.at || other.data.target === window.data.target) {
      this.#halves.set(source, window);
      return undefined;
    }
    this.#halves.delete(source);
    const sides = {
      [other.data.target]: other.data,
      [window.data.target]: window.data,
    } as Record<Side, TrafficWindow>;
    const { prod, canary } = sides;
    if (prod.routes === undefined || canary.routes === undefined)
      return undefined;
    return {
      proxy: source,
      atMs,
      share: readShare(prod.split),
      prod: { dealt: prod.dealt ?? 0, routes: toMap(prod.routes) },
      canary: { dealt: canary.dealt ?? 0, routes: toMap(canary.routes) },
      alone: toMap(prod.routesAlone ?? {}),
    };
  }
}

function toMap(routes: Record<string, RouteWindow>): Map<string, RouteWindow> {
  return new Map(Object.entries(routes));
}
