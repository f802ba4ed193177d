import type { RunningProduct } from "../../test/support/products/product.js";
import { generate, type Generator } from "./generate.js";
import type { OpenLoopFigures } from "./open-loop.js";

export interface Stall {
  requestsPerSecond: number;
  seconds: number;
  stallSeconds: number;
}

/** Few, because each connection shows a stall in one request only. */
const CONNECTIONS = 4;

/** Stalls a proxy under an even load. */
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
 * The lower bound of a quantile: requests during the stall wait for the rest of it, uniformly distributed. The time for the
 * backlog is not included.
 */
export function stalledQuantileMs(
  quantile: number,
  { seconds, stallSeconds }: Pick<Stall, "seconds" | "stallSeconds">,
): number {
  const waitedLonger = ((1 - quantile) * seconds) / stallSeconds;
  return Math.max(0, 1 - waitedLonger) * stallSeconds * 1000;
}
