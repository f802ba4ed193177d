import type { Store } from "../sources/redis-link.js";
import { scanTelemetry, type Heard } from "../sources/telemetry-scan.js";

/** The canary's requests around a flip, from the proxies' windows. Times are ms by Redis's clock. */
export interface CanaryTrail {
  /** The end of the last window with canary requests before the flip. */
  lastBeforeAt: number | null;
  /** Requests that the canary completed in windows that ended after the flip. */
  endedAfter: number;
  lastAfterAt: number | null;
  /** Requests that the split sent to the canary in windows that began after the flip. */
  givenAfter: number;
}

/** Reads windows up to the next flip, back to the last one before the flip. */
export async function readCanaryTrail(
  store: Store,
  flippedAt: number,
  nextFlipAt: number | undefined,
): Promise<CanaryTrail> {
  const trail: CanaryTrail = {
    lastBeforeAt: null,
    endedAfter: 0,
    lastAfterAt: null,
    givenAfter: 0,
  };
  for await (const heard of scanTelemetry(store, 0)) {
    if (!touchesCanary(heard)) continue;
    if (nextFlipAt !== undefined && heard.heardAt > nextFlipAt) continue;
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
