import type uPlot from "uplot";
import type { ChartSpec } from "./chart-specs.js";
import type { Palette } from "./palette.js";

const SYNC_KEY = "serin";
/** Equal for all charts, to align their times. */
const AXIS_PX = 58;
const FONT = "11px system-ui, sans-serif";

const keepDecades = (_plot: uPlot, splits: number[]) =>
  splits.map((value) => (Number.isInteger(Math.log10(value)) ? value : null));
const onlyDecades = (palette: Palette) => ({
  filter: keepDecades,
  grid: { ...axis(palette).grid, filter: keepDecades },
});

/** The uPlot options of a chart. Colours are read at each drawing, because they change with the colour scheme. */
export function createOptions(
  spec: ChartSpec,
  palette: Palette,
  height: number,
): uPlot.Options {
  return {
    // Set by the resize observer of the container.
    width: 300,
    height,
    padding: [14, 20, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC_KEY },
      drag: { x: false, y: false },
      points: { size: 6 },
    },
    scales: {
      x: { time: true },
      y: spec.isLogarithmic === true ? logarithmic(spec) : linear(spec),
    },
    axes: [
      {
        ...axis(palette),
        size: 24,
        space: 64,
        values: (_plot, splits) => splits.map(formatMinute),
      },
      {
        ...axis(palette),
        size: AXIS_PX,
        space: 28,
        ...(spec.isLogarithmic === true ? onlyDecades(palette) : {}),
        values: (_plot, splits) =>
          splits.map((value: number | null) =>
            value === null ? "" : spec.format(value),
          ),
      },
    ],
    series: createSeries(spec, palette),
  };
}

function createSeries(spec: ChartSpec, palette: Palette): uPlot.Series[] {
  const lines = spec.lines.map(
    ({ label, colour, width, dash }): uPlot.Series => ({
      label,
      width,
      dash: [...dash],
      stroke: () => palette.get(colour),
    }),
  );
  const limit: uPlot.Series = {
    label: "limit",
    width: 1,
    dash: [2, 4],
    points: { show: false },
    stroke: () => palette.get("stopped"),
  };
  return [{}, ...lines, ...(spec.threshold === undefined ? [] : [limit])];
}

function axis(palette: Palette): uPlot.Axis {
  return {
    font: FONT,
    stroke: () => palette.get("ink-soft"),
    grid: { width: 1, stroke: () => palette.get("grid") },
    ticks: { show: false },
    gap: 6,
  };
}

function linear({ floor }: ChartSpec): uPlot.Scale {
  return {
    range: (_plot, _min, max: number | null) => [
      0,
      Math.max(floor, max ?? 0) * 1.1,
    ],
  };
}

function logarithmic({ floor }: ChartSpec): uPlot.Scale {
  return {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's const enum has no values to import
    distr: 3,
    log: 10,
    range: (_plot, min: number | null, max: number | null) => [
      10 ** Math.floor(Math.log10(Math.min(min ?? floor, floor))),
      10 ** Math.ceil(Math.log10(Math.max(max ?? floor, floor * 10) * 1.2)),
    ],
  };
}

function formatMinute(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  });
}
