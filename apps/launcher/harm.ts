import { Ledger, type LedgerEvent } from "../../lib/flag/ledger.js";
import { readHarm } from "../../lib/telemetry/harm.js";
import { describeHarm } from "../../lib/wording/harm.js";
import { LaunchError } from "./config.js";
import type { LaunchContext } from "./launch-context.js";
import { withRedis } from "./ledger.js";
import type { Layout } from "./processes/programs.js";
import { createScreenLogger } from "./screen/screen.js";

/** How long the report waits for requests that the canary still has when it is stopped. */
const PATIENCE_MS = 10_000;

/** Shows after each stop of the canary what users have met since it last opened. */
export function createHarmReport(
  layout: Layout,
  { screen, signal }: LaunchContext,
): (event: LedgerEvent) => void {
  const report = async (stop: LedgerEvent): Promise<void> => {
    try {
      const harm = await withRedis(
        layout,
        createScreenLogger(screen),
        async (redis, keys) => {
          const store = { redis, keys, ledger: new Ledger(redis, keys) };
          const options = { patienceMs: PATIENCE_MS, signal };
          return await readHarm(store, stop, options);
        },
      );
      if (harm !== undefined)
        screen.event("harm", `stopped after ${describeHarm(harm)}`);
    } catch (err) {
      // The screen says elsewhere that Redis is away.
      if (!signal.aborted && !(err instanceof LaunchError)) throw err;
    }
  };
  return (event) => {
    const { kind, by, data } = event;
    if (kind === "flip" && data.value === false && by !== "operator")
      void report(event);
  };
}
