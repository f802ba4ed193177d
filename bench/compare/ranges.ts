import { rangeOf, type Range } from "../statistics.js";

/** One figure of one round, for each product that was measured in it. */
export type Round = Readonly<Partial<Record<string, number>>>;

/** What one product took as a multiple of what the base took in the same round. */
export function ratiosTo(
  base: string,
  product: string,
  rounds: readonly Round[],
): Range | null {
  return rangeOf(
    rounds.flatMap((values) => {
      const [own, other] = [values[product], values[base]];
      return own === undefined || other === undefined ? [] : [own / other];
    }),
  );
}

/** By how much one product's value was above that of `direct` in the same round, in whole units. */
export function addedTo(
  direct: string,
  product: string,
  rounds: readonly Round[],
): Range | null {
  return rangeOf(
    rounds.flatMap((values) => {
      const [own, without] = [values[product], values[direct]];
      return own === undefined || without === undefined
        ? []
        : [Math.round(own - without)];
    }),
  );
}

/**
 * What one product added to `direct`, as a multiple of what the base added in the same round. A round in which the base
 * seemed to add nothing tells nothing, and where most are of that kind there is no figure.
 */
export function addedRatiosTo(
  base: string,
  product: string,
  rounds: readonly Round[],
  direct: string,
): Range | null {
  const ratios = rounds.flatMap((values) => {
    const [own, other, without] = [
      values[product],
      values[base],
      values[direct],
    ];
    if (own === undefined || other === undefined || without === undefined)
      return [];
    return other > without ? [(own - without) / (other - without)] : [];
  });
  return ratios.length * 2 > rounds.length ? rangeOf(ratios) : null;
}
