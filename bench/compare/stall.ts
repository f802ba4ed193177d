import type { RunningProduct } from "../../test/support/products/product.js";
import { generate, type Generator } from "./generate.js";
import type { OpenLoopFigures } from "./open-loop.js";

export interface Stall {
  requestsPerSecond: number;
  seconds: number;
  stallSeconds: number;
}

/** Few, as each waits out the stall with one request only and so hides it. */
const CONNECTIONS = 4;

/** Has a proxy stand still for some time in the midst of an even load. */
export async function measureStall(
  generator: Generator,
  proxy: RunningProduct,
  options: Stall & { path: string },
): Promise<OpenLoopFigures> {
  const { stallSeconds, ...load } = options;
  const leadMs = ((load.seconds - stallSeconds) / 2) * 1000;
  return await generate(
    generator,
    { ...load, port: proxy.port, connections: CONNECTIONS, law: "fixed" },
    () => {
      setTimeout(() => proxy.signal("SIGSTOP"), leadMs);
      setTimeout(() => proxy.signal("SIGCONT"), leadMs + stallSeconds * 1000);
    },
  );
}

/**
 * The least that a quantile can be: who comes while the proxy stands still waits for the rest of that time, evenly
 * distributed; what the backlog then takes is not in it.
 */
export function stalledQuantileMs(
  quantile: number,
  { seconds, stallSeconds }: Pick<Stall, "seconds" | "stallSeconds">,
): number {
  const waitedLonger = ((1 - quantile) * seconds) / stallSeconds;
  return Math.max(0, 1 - waitedLonger) * stallSeconds * 1000;
}
