export type Random = () => number;
type Law = (random: Random) => number;

/** Latencies in ms of an unloaded service. */
export const LAWS = {
  lognormal: (random) => 100 * Math.exp(0.45 * normal(random)),
  "Pareto 1.5": (random) => 30 * uniform(random) ** (-1 / 1.5),
  bimodal: (random) =>
    (random() < 0.8 ? 30 : 200) * Math.exp(0.3 * normal(random)),
  cache: (random) =>
    random() < 0.9
      ? 2 * Math.exp(0.3 * normal(random))
      : 80 * Math.exp(0.4 * normal(random)),
  "1 ms rounded": (random) =>
    Math.max(1, Math.round(4 * Math.exp(0.5 * normal(random)))),
  "0.4 ms": (random) => 0.4 * Math.exp(0.4 * normal(random)),
  gamma: (random) =>
    -20 *
    Math.log(
      uniform(random) * uniform(random) * uniform(random) * uniform(random),
    ),
  "log-logistic": (random) => 70 * (1 / uniform(random) - 1) ** (1 / 3.5),
  "3 ms": (random) => 3 * Math.exp(0.4 * normal(random)),
  /** The verdict's dictionary has no word for requests that are missing below an edge. */
  "none below 20 ms": (random) => 20 - 80 * Math.log(uniform(random)),
} satisfies Record<string, Law>;
export type LawName = keyof typeof LAWS;

/** In (0, 1], so that the logarithm is finite. */
export function uniform(random: Random): number {
  return 1 - random();
}

/** Box & Muller. */
export function normal(random: Random): number {
  return (
    Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * random())
  );
}

/** With a mean of 1. */
export function exponential(random: Random): number {
  return -Math.log(uniform(random));
}
