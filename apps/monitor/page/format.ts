const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const hundredths = new Intl.NumberFormat("en-US", {
  maximumFractionDigits: 2,
});
const tenths = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

/** What stands for a figure that is not known. */
export const UNKNOWN = "–";

function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size < 1) return hundredths.format(value);
  return size < 10 ? tenths.format(value) : whole.format(value);
}

/** `4.1 ms`, `1,021 ms`, `12 s` */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return UNKNOWN;
  return ms >= 10_000
    ? `${formatNumber(ms / 1000)} s`
    : `${formatNumber(ms)} ms`;
}

/** Of 1: `0.4 %`, `25 %` */
export function formatRatio(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return UNKNOWN;
  return ratio === 0 ? "0 %" : `${formatNumber(ratio * 100)} %`;
}

/** `12/s` */
export function formatRate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return UNKNOWN;
  return perSecond === 0 ? "0/s" : `${formatNumber(perSecond)}/s`;
}

/** `61 MB` */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  return bytes >= 1e10
    ? `${formatNumber(bytes / 1e9)} GB`
    : `${formatNumber(bytes / 1e6)} MB`;
}
