import type { RunningProduct } from "../../test/support/products/product.js";
import { generate, type Generator } from "./generate.js";
import type { OpenLoopFigures } from "./open-loop.js";
import type { Round } from "./ranges.js";
import { TINY_PATH } from "./scenarios.js";
import { SpoiltRound } from "./wrk.js";

export const REQUESTS_PER_SECOND = 2000;
/** The name of the backend without a proxy in the measurements. */
export const DIRECT = "no proxy";
const CONNECTIONS = 64;

/** In µs, for each round and product, and for the backend alone. */
export interface LatencyRounds {
  p50Us: Round[];
  p99Us: Round[];
  /** The generator's lateness as a share of the backend's own latency: medians of both. */
  lateness: number[];
}

/** @throws SpoiltRound */
export async function measureLatency(options: {
  generator: Generator;
  products: readonly RunningProduct[];
  backendPort: number;
  rounds: number;
  seconds: number;
}): Promise<LatencyRounds> {
  const { generator, products, rounds, seconds } = options;
  const targets = [
    { name: DIRECT, port: options.backendPort },
    ...products.map(({ product, port }) => ({ name: product.name, port })),
  ];
  const measured: LatencyRounds = { p50Us: [], p99Us: [], lateness: [] };
  for (let round = 0; round < rounds; round += 1) {
    const p50Us: Record<string, number> = {};
    const p99Us: Record<string, number> = {};
    for (const { name, port } of targets) {
      const figures = await generate(generator, {
        port,
        path: TINY_PATH,
        requestsPerSecond: REQUESTS_PER_SECOND,
        seconds,
        connections: CONNECTIONS,
        law: "poisson",
      });
      assertAnswered(name, figures);
      p50Us[name] = figures.latency.p50Us;
      p99Us[name] = figures.latency.p99Us;
      if (name === DIRECT)
        measured.lateness.push(figures.lateness.p50Us / figures.latency.p50Us);
    }
    measured.p50Us.push(p50Us);
    measured.p99Us.push(p99Us);
  }
  return measured;
}

function assertAnswered(name: string, { failures }: OpenLoopFigures): void {
  if (failures.length > 0)
    throw new SpoiltRound(
      `${name}: ${failures.length} requests of the open loop failed, the first by ${failures[0] ?? ""}`,
    );
}
