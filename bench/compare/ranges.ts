import { rangeOf, type Range } from "../statistics.js";

/** One figure of one round, by product. */
export type Round = Readonly<Partial<Record<string, number>>>;

/** One product's figure as a multiple of the base's in the same round. */
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

/** The difference between a product's value and that of `direct` in the same round, in whole units. */
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
 * A product's addition to `direct` as a multiple of the base's addition in the same round. Rounds in which the base added
 * nothing measurable are ignored; if most are, there is no figure.
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
