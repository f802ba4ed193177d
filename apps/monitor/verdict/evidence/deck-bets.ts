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
 * @param logRatios `[component][request]`, the canary's requests first
 * @param nc the number of the canary's requests
 */
export function betOnDeck(
  logRatios: readonly (readonly number[])[],
  nc: number,
): DeckBets {
  const bets = {
    winnings: createByComponent(),
    deviations: createByComponent(),
    variances: createByComponent(),
  };
  logRatios.forEach((l, component) => {
    const { length } = l;
    let [all, canary] = [0, 0];
    for (let j = 0; j < length; j++) {
      all += l[j] ?? 0;
      if (j < nc) canary += l[j] ?? 0;
    }
    const mean = all / length;
    let squares = 0;
    for (let j = 0; j < length; j++) squares += ((l[j] ?? 0) - mean) ** 2;
    // The fewer requests decide: e_nc(x) = Π x · e_np(1/x).
    const expected =
      nc <= length - nc
        ? logMeanProduct(l, nc, 1)
        : all + logMeanProduct(l, length - nc, -1);
    bets.winnings[component] = canary - expected;
    bets.deviations[component] = canary - nc * mean;
    bets.variances[component] =
      length > 1
        ? ((nc * (length - nc)) / (length - 1)) * (squares / length)
        : 0;
  });
  return bets;
}

/** ln of the mean of Π e^(sign·l) over all choices of `size`: an elementary symmetric polynomial over its number of terms. */
function logMeanProduct(
  l: readonly number[],
  size: number,
  sign: 1 | -1,
): number {
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
