import { METHODS, SEES_ERRORS } from "./methods.js";
import type { Detection } from "./run.js";
import { CHANGES, HARD_EDGE } from "./traffic.js";

const ROW = 18;
const LEFT = 330;
const WIDTH = 860;
const MOST = 7500;
const OURS = "the verdict";

/** Median canary requests to the stop for each change and method, over the laws, on a logarithmic axis. */
export function renderChart(detections: readonly Detection[]): string {
  const rows = Object.entries(CHANGES).flatMap(([change, { latency }]) =>
    METHODS.filter((method) => latency ?? method === SEES_ERRORS).map(
      (method) => {
        const medians = detections
          .filter(
            (row) =>
              row.change === change &&
              row.afterMinutes === 0 &&
              row.law !== HARD_EDGE,
          )
          .map((row) => row.medians[method] ?? MOST);
        const color = method.startsWith(OURS) ? "#06c" : "#999";
        return { label: `${change}, ${method}`, medians, color };
      },
    ),
  );
  const x = (requests: number) =>
    LEFT + ((WIDTH - LEFT - 20) * Math.log10(requests)) / Math.log10(MOST);
  const lines = rows.map(({ label, medians, color }, i) => {
    const y = (i + 1) * ROW;
    const dots = medians.map(
      (median) =>
        `<circle cx="${x(median).toFixed(1)}" cy="${y - 4}" r="4" fill="${color}"/>`,
    );
    return `<text x="4" y="${y}">${label}</text>${dots.join("")}`;
  });
  const axis = [1, 10, 100, 1000, MOST].map(
    (tick) =>
      `<text x="${x(tick).toFixed(1)}" y="${(rows.length + 2) * ROW}" text-anchor="middle">${tick}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${(rows.length + 3) * ROW}" font-family="sans-serif" font-size="12">\n${[...lines, ...axis].join("\n")}\n</svg>\n`;
}
