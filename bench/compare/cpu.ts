import { request } from "node:http";
import { once } from "node:events";
import type { RunningProduct } from "../../test/support/products/product.js";
import { CORES } from "./cores.js";
import type { Round } from "./ranges.js";
import { LARGE_BYTES, LARGE_PATH, type Scenario } from "./scenarios.js";
import { SpoiltRound, Wrk } from "./wrk.js";

/** A product's CPU ticks for each request, in one scenario of one round. */
export interface CpuRounds {
  scenario: Scenario;
  rounds: Round[];
}

export interface CpuOptions {
  products: readonly RunningProduct[];
  scenarios: readonly Scenario[];
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  /** For wrk's scripts. */
  directory: string;
  /** Called after the warm-up of all products. */
  onWarm: () => void;
  /** Called between measurements, while there is no load. @throws SpoiltRound */
  onPause: () => Promise<void>;
}

/**
 * Measures each product in each scenario in each round, one after another, so that other work on the machine affects all
 * of them alike.
 *
 * @throws SpoiltRound
 */
export async function measureCpu(options: CpuOptions): Promise<CpuRounds[]> {
  const { products, scenarios, rounds, seconds, directory } = options;
  for (const scenario of scenarios)
    for (const product of products) {
      await checkAnswer(product, scenario);
      if (options.warmUpSeconds > 0)
        await load(product, scenario, options.warmUpSeconds, directory);
    }
  options.onWarm();
  const measured = scenarios.map((scenario): CpuRounds => ({
    scenario,
    rounds: [],
  }));
  for (let round = 0; round < rounds; round += 1)
    for (const { scenario, rounds: done } of measured) {
      const values: Record<string, number> = {};
      for (const product of rotate(products, round)) {
        const ticksBefore = product.cpuTicks;
        const answers = await load(product, scenario, seconds, directory);
        const ticks = product.cpuTicks - ticksBefore;
        values[product.product.name] = ticks / answers;
        await options.onPause();
      }
      done.push(values);
    }
  return measured;
}

async function load(
  product: RunningProduct,
  scenario: Scenario,
  seconds: number,
  directory: string,
): Promise<number> {
  const { port } = product;
  const cpu = CORES.load;
  try {
    return await new Wrk({ scenario, port, seconds, cpu, directory }).answers();
  } catch (err) {
    if (!(err instanceof SpoiltRound)) throw err;
    throw new SpoiltRound(
      `${product.product.name}, ${scenario.title}: ${err.message}`,
    );
  }
}

/** @throws SpoiltRound when the body is not the backend's: wrk checks only the status */
async function checkAnswer(
  { product, port }: RunningProduct,
  scenario: Scenario,
): Promise<void> {
  const { path, bodyBytes, headers = {} } = scenario;
  const method = bodyBytes === undefined ? "GET" : "POST";
  const asked = request({ host: "127.0.0.1", port, path, method, headers });
  asked.end("x".repeat(bodyBytes ?? 0));
  const [response] = (await once(asked, "response")) as [
    AsyncIterable<Buffer> & { statusCode: number },
  ];
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  const expected = path === LARGE_PATH ? LARGE_BYTES : "ok\n".length;
  if (response.statusCode !== 200 || bytes !== expected)
    throw new SpoiltRound(
      `${product.name}, ${scenario.title}: ${response.statusCode} with ${bytes} bytes`,
    );
}

/** The first product comes last in the next round. */
function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
