import { COMPONENT_COUNT } from "./dictionary.js";

/** One number for each component of the dictionary. */
export type ByComponent = Float64Array;

export function createByComponent(): ByComponent {
  return new Float64Array(COMPONENT_COUNT);
}

/** What a deck says, by component. */
export interface DeckBets {
  /** The winnings of the bet on which requests are the canary's, as logarithms. */
  winnings: ByComponent;
  /** How far the canary's log ratios are above the deck's mean, and the variance of that under random dealing. */
  deviations: ByComponent;
  variances: ByComponent;
}

/**
 * Bets inside one deck. While the canary is no slower, each choice of `nc` of the deck's requests is equally likely to be the
 * canary's, whatever their latencies are. If it is slower by the ratio r, a choice is likely in proportion to the product of
 * its r. So the winnings are Σ l over the canary's requests less the log of the mean product over all choices, and their mean
 * is exactly 1 under the split's dice.
 *
 * @param logRatios of each request, the canary's first
 * @param nc the number of the canary's requests
 */
export function betOnDeck(
  logRatios: readonly ByComponent[],
  nc: number,
): DeckBets {
  const bets = {
    winnings: createByComponent(),
    deviations: createByComponent(),
    variances: createByComponent(),
  };
  const { length } = logRatios;
  const l = new Float64Array(length);
  for (let component = 0; component < COMPONENT_COUNT; component++) {
    for (let j = 0; j < length; j++) l[j] = logRatios[j]?.[component] ?? 0;
    const mean = sumOf(l, length) / length;
    let squares = 0;
    for (const value of l) squares += (value - mean) ** 2;
    bets.winnings[component] = winningsOf(l, nc);
    bets.deviations[component] = sumOf(l, nc) - nc * mean;
    bets.variances[component] =
      length > 1
        ? ((nc * (length - nc)) / (length - 1)) * (squares / length)
        : 0;
  }
  return bets;
}

/** The winnings by one component, whose log ratios are the canary's first. */
export function winningsOf(l: Float64Array, nc: number): number {
  const np = l.length - nc;
  // The fewer requests decide: e_nc(x) = Π x · e_np(1/x).
  const expected =
    nc <= np
      ? logMeanProduct(l, nc, 1)
      : sumOf(l, l.length) + logMeanProduct(l, np, -1);
  return sumOf(l, nc) - expected;
}

function sumOf(l: Float64Array, count: number): number {
  let sum = 0;
  for (let j = 0; j < count; j++) sum += l[j] ?? 0;
  return sum;
}

/** ln of the mean of Π e^(sign·l) over all choices of `size`: an elementary symmetric polynomial over its number of terms. */
function logMeanProduct(l: Float64Array, size: number, sign: 1 | -1): number {
  let largest = -Infinity;
  for (const value of l) largest = Math.max(largest, sign * value);
  // means[k] is the mean product of k of the first n.
  const means = new Float64Array(size + 1);
  means[0] = 1;
  for (let n = 1; n <= l.length; n++) {
    const x = Math.exp(sign * (l[n - 1] ?? 0) - largest);
    for (let k = Math.min(size, n); k > 0; k--)
      means[k] = ((n - k) * (means[k] ?? 0) + k * x * (means[k - 1] ?? 0)) / n;
  }
  return Math.log(means[size] ?? 1) + size * largest;
}
