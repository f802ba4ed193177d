import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { scanTelemetry, type Heard } from "../sources/telemetry-scan.js";

/** What the proxies' windows tell of the canary's requests around a flip; times by Redis's clock in ms. */
export interface CanaryTrail {
  /** The end of the last window before the flip in which the canary answered or was given requests. */
  lastBeforeAt: number | null;
  /** Requests that ended at the canary in windows that ended after the flip: it was still answering them. */
  endedAfter: number;
  lastAfterAt: number | null;
  /** Requests that the split gave to the canary in windows that began after the flip. */
  givenAfter: number;
}

/** Back to before the flip, as far as there are windows. @throws when Redis is away. */
export async function readCanaryTrail(
  redis: Redis,
  keys: Keys,
  flippedAt: number,
): Promise<CanaryTrail> {
  const trail: CanaryTrail = {
    lastBeforeAt: null,
    endedAfter: 0,
    lastAfterAt: null,
    givenAfter: 0,
  };
  for await (const heard of scanTelemetry(redis, keys, 0)) {
    if (!touchesCanary(heard)) continue;
    const { data, heardAt } = heard;
    if (heardAt <= flippedAt) return { ...trail, lastBeforeAt: heardAt };
    trail.endedAfter += data.requests;
    trail.lastAfterAt ??= heardAt;
    if (heardAt - (data.windowMs ?? 0) >= flippedAt)
      trail.givenAfter += data.arms.chosen;
  }
  return trail;
}

function touchesCanary(
  heard: Heard,
): heard is Extract<Heard, { kind: "traffic" }> {
  return (
    heard.kind === "traffic" &&
    heard.data.target === "canary" &&
    (heard.data.requests > 0 || heard.data.arms.chosen > 0)
  );
}
