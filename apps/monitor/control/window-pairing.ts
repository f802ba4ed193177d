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
 * Joins both sides of a proxy's window. A single half is dropped, because the other side would seem to have had no
 * requests.
 */
export class WindowPairing {
  readonly #halves = new Map<string, Half>();

  /** The pair that this window completes, if any; undefined if the proxy does not count by route. */
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
