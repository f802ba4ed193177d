import type { Logger } from "../../../lib/program/log.js";
import type { Failure } from "../engines/engine.js";
import type { Upstream } from "../engines/upstreams.js";

const QUIET_MS = 30_000;

/** Logs why upstreams fail: the first failure at once, then at most one every 30 s for each upstream and kind. */
export class FailureLog {
  readonly #logger: Logger;
  /** The last entry for each upstream and kind: its monotonic ms, and the failures since. */
  readonly #logged = new Map<string, { at: number; unlogged: number }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(
    { side, name: upstream }: Pick<Upstream, "side" | "name">,
    { kind, cause }: Pick<Failure, "kind" | "cause">,
    now = performance.now(),
  ): void {
    const key = `${side} ${upstream} ${kind}`;
    const last = this.#logged.get(key);
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.unlogged += 1;
      return;
    }
    this.#logged.set(key, { at: now, unlogged: 0 });
    this.#logger.warn(
      { side, upstream, kind, unlogged: last?.unlogged ?? 0, err: cause },
      "upstream failed",
    );
  }
}
