import { formatRatio } from "./units.js";

/** More than this, as a logarithm, is not corrected. */
const SMALL = 0.04;

/**
 * `hosts differ by 40 %: with prod's version too, the canary is slower; the verdict corrects 25 %`. Undefined if the verdict
 * corrects all of it.
 *
 * @param ratio of the canary's median latency to prod's with the same version @param factor what the verdict corrects
 */
export function describeHostDifference({
  ratio,
  factor,
}: {
  ratio: number;
  factor: number;
}): string | undefined {
  if (Math.abs(Math.log(ratio / factor)) <= SMALL) return undefined;
  const by = (times: number) =>
    formatRatio(Math.round(100 * Math.abs(times - 1)) / 100);
  const how = ratio > 1 ? "slower" : "faster";
  return `hosts differ by ${by(ratio)}: with prod’s version too, the canary is ${how}; the verdict corrects ${by(factor)}`;
}
