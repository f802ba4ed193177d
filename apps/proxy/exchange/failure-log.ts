import type { Logger } from "../../../lib/program/log.js";
import type { Failure } from "../engines/engine.js";
import type { Upstream } from "../engines/upstreams.js";

/** How long one upstream's failures of one kind are counted until they are told of again. */
const QUIET_MS = 30_000;

interface Told {
  /** Monotonic ms. */
  at: number;
  /** Failures since. */
  more: number;
}

/** Tells why upstreams fail: the first time at once, and then at most once in half a minute for each upstream and kind. */
export class FailureLog {
  readonly #logger: Logger;
  readonly #told = new Map<string, Told>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(
    { side, host, port }: Upstream,
    { kind, cause }: Pick<Failure, "kind" | "cause">,
    now = performance.now(),
  ): void {
    const upstream = `${host}:${port}`;
    const key = `${side} ${upstream} ${kind}`;
    const told = this.#told.get(key);
    if (told !== undefined && now - told.at < QUIET_MS) {
      told.more += 1;
      return;
    }
    this.#told.set(key, { at: now, more: 0 });
    this.#logger.warn(
      { side, upstream, kind, untold: told?.more ?? 0, err: cause },
      "upstream failed",
    );
  }
}
