import type { Picked } from "../../apps/proxy/dealing/side-picker.js";
import type { Side } from "../../lib/telemetry/telemetry.js";

/** A request that the split dealt to a side, in no deck. */
export function dealt(side: Side): Picked {
  return { side, by: "dealt" };
}
