import { ENGINE_NAMES } from "../../apps/proxy/engines/engine.js";
import type { RunningProduct } from "../../test/support/products/product.js";
import { rangeOf, round, type Range } from "../statistics.js";
import {
  BASE,
  nameOf,
  NODE_ALONE,
  PLAIN,
  PRODUCT_NAMES,
} from "./contestants.js";
import { CORES } from "./cores.js";
import { measureCpu, type CpuRounds } from "./cpu.js";
import { measureFlips } from "./flips.js";
import type { Generator } from "./generate.js";
import {
  DIRECT,
  measureLatency,
  REQUESTS_PER_SECOND,
  type LatencyRounds,
} from "./latency.js";
import { describeMachine, readLoad } from "./machine.js";
import { addedRatiosTo, addedTo, ratiosTo, type Round } from "./ranges.js";
import type {
  ByProduct,
  CpuFigures,
  GeneratorProof,
  LatencyFigures,
  Results,
} from "./results.js";
import { SCENARIOS, TINY_PATH } from "./scenarios.js";
import { SplitWatch } from "./split-error.js";
import { Stage } from "./stage.js";
import { measureStall, stalledQuantileMs, type Stall } from "./stall.js";

/** The kernel's unit of CPU time in /proc (USER_HZ). */
const TICKS_PER_SECOND = 100;

export const FULL = {
  rounds: 5,
  seconds: 2,
  warmUpSeconds: 1,
  latencySeconds: 3,
  flips: 20,
  stall: { requestsPerSecond: 1000, seconds: 6, stallSeconds: 1 },
};
export const QUICK = {
  rounds: 1,
  seconds: 1,
  warmUpSeconds: 0,
  latencySeconds: 1,
  flips: 2,
  stall: { requestsPerSecond: 500, seconds: 2, stallSeconds: 0.5 },
};

export interface CompareOptions {
  quick: boolean;
  size: typeof FULL;
  /** Names of scenarios, `latency`, `flips`. */
  parts: readonly string[];
  node: string;
  say: (what: string) => void;
}

/** @throws SpoiltRound */
export async function compare(options: CompareOptions): Promise<Results> {
  const { quick, parts, node } = options;
  const { rounds, seconds, latencySeconds } = options.size;
  const size = { rounds, seconds, latencySeconds };
  const loadAtStart = readLoad();
  const stage = new Stage(node);
  try {
    await stage.open();
    const field = await measureField(stage, options);
    const flips = parts.includes("flips")
      ? await measureAllFlips(stage, options)
      : {};
    const machine = describeMachine(node, loadAtStart);
    const at = new Date().toISOString();
    return { at, quick, size, machine, ...field, flips };
  } finally {
    await stage.close();
  }
}

type Field = Pick<Results, "cpu" | "latency" | "split" | "memory">;

/** The measurements with every product running. */
async function measureField(
  stage: Stage,
  { size, parts, say }: CompareOptions,
): Promise<Field> {
  const others = await stage.startOthers();
  const alone = await stage.startProxy(NODE_ALONE);
  const engines = await stage.startEngines();
  const proxies = [...others, ...engines.map(({ running }) => running)];
  const products = [...proxies, alone];
  const watches = engines.map((engine) => new SplitWatch(engine));
  let warm: ByProduct<number> = {};
  say("CPU for each request");
  const rounds = await measureCpu({
    ...size,
    products,
    scenarios: SCENARIOS.filter(({ name }) => parts.includes(name)),
    directory: stage.directory,
    onWarm: () => (warm = readResidentMb(products)),
    onPause: async () => {
      stage.assertWhole();
      for (const watch of watches) await watch.read();
    },
  });
  const end = readResidentMb(products);
  const generator = { node: stage.node, cpu: CORES.load, reaper: stage.reaper };
  let latency: LatencyFigures | null = null;
  if (parts.includes("latency")) {
    say("latency");
    const measured = await measureLatency({
      generator,
      products: proxies,
      backendPort: stage.backendPort,
      rounds: size.rounds,
      seconds: size.latencySeconds,
    });
    const proxy = others.find(({ product }) => product.name === PLAIN);
    latency = compareLatency(
      measured,
      await proveGenerator(generator, proxy, size.stall),
    );
  }
  for (const product of products) await stage.end(product);
  return {
    cpu: rounds.map(compareCpu),
    latency,
    split: Object.fromEntries(watches.map((it) => [it.name, it.figures])),
    memory: Object.fromEntries(
      Object.entries(warm).map(([name, warmMb]) => [
        name,
        { warmMb, endMb: end[name] ?? NaN },
      ]),
    ),
  };
}

async function measureAllFlips(
  stage: Stage,
  { size, say }: CompareOptions,
): Promise<Results["flips"]> {
  say("flips");
  const [scenario] = SCENARIOS;
  if (scenario === undefined) throw new Error("there is no scenario");
  const figures: Results["flips"] = {};
  for (const engine of ENGINE_NAMES)
    figures[nameOf(engine)] = await measureFlips(stage, {
      engine,
      flips: size.flips,
      scenario,
    });
  return figures;
}

async function proveGenerator(
  generator: Generator,
  proxy: RunningProduct | undefined,
  stall: Stall,
): Promise<GeneratorProof> {
  if (proxy === undefined) throw new Error("there is no proxy to stall");
  const { latency, fromSending } = await measureStall(generator, proxy, {
    ...stall,
    path: TINY_PATH,
  });
  const p99LeastUs = stalledQuantileMs(0.99, stall) * 1000;
  return {
    p90: round(latency.p90Us / 1000 / stalledQuantileMs(0.9, stall)),
    p99: round(latency.p99Us / p99LeastUs),
    p99FromSending: round(fromSending.p99Us / p99LeastUs),
  };
}

function compareCpu({ scenario, rounds }: CpuRounds): CpuFigures {
  const { name, title } = scenario;
  return {
    name,
    title,
    perCoreSecond: byProduct((product) => perCoreSecond(product, rounds)),
    toNginx: byProduct((product) => ratiosTo(BASE, product, rounds)),
    toHttpProxy: byProduct((product) => ratiosTo(PLAIN, product, rounds)),
  };
}

function perCoreSecond(product: string, rounds: readonly Round[]) {
  return rangeOf(
    rounds.flatMap(({ [product]: ticks }) =>
      ticks === undefined ? [] : [Math.round(TICKS_PER_SECOND / ticks)],
    ),
  );
}

function compareLatency(
  { p50Us, p99Us, lateness }: LatencyRounds,
  generatorProof: GeneratorProof,
): LatencyFigures {
  return {
    requestsPerSecond: REQUESTS_PER_SECOND,
    addedP50Us: byProduct((product) => addedTo(DIRECT, product, p50Us)),
    addedP99Us: byProduct((product) => addedTo(DIRECT, product, p99Us)),
    addedP50ToNginx: byProduct((product) =>
      addedRatiosTo(BASE, product, p50Us, DIRECT),
    ),
    addedP50ToHttpProxy: byProduct((product) =>
      addedRatiosTo(PLAIN, product, p50Us, DIRECT),
    ),
    generatorLateness: rangeOf(lateness),
    generatorProof,
  };
}

function byProduct(
  figure: (product: string) => Range | null,
): ByProduct<Range | null> {
  return Object.fromEntries(PRODUCT_NAMES.map((name) => [name, figure(name)]));
}

function readResidentMb(
  products: readonly RunningProduct[],
): ByProduct<number> {
  return Object.fromEntries(
    products.map(({ product, residentBytes }) => [
      product.name,
      Math.round(residentBytes / 1e6),
    ]),
  );
}
