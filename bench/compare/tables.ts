import { BASE, NODE_ALONE, PRODUCT_NAMES } from "./contestants.js";
import type { Range } from "../statistics.js";
import type { ByProduct, Results } from "./results.js";

/** A table's rows; the first one is the head. */
export type Table = string[][];

/** Requests that one core serves. */
export function tabulatePerCore({ cpu }: Results): Table {
  return [
    ["requests/s on one core", ...PRODUCT_NAMES],
    ...cpu.map(({ title, perCoreSecond }) =>
      rowOf(title, PRODUCT_NAMES, perCoreSecond),
    ),
  ];
}

/** Each proxy's added latency. */
export function tabulateLatency({ latency }: Results): Table {
  const proxies = PRODUCT_NAMES.filter((name) => name !== NODE_ALONE.name);
  return [
    ["added latency, µs", ...proxies],
    ...(latency === null
      ? []
      : [
          rowOf("median", proxies, latency.addedP50Us),
          rowOf("99th percentile", proxies, latency.addedP99Us),
        ]),
  ];
}

/** CPU and latency, each as a multiple of the base's in the same round. @param base nginx or http-proxy */
export function tabulateRatios({ cpu, latency }: Results, base: string): Table {
  const products = PRODUCT_NAMES.filter((name) => name !== base);
  const [cpuRatios, latencyRatios] =
    base === BASE
      ? (["toNginx", "addedP50ToNginx"] as const)
      : (["toHttpProxy", "addedP50ToHttpProxy"] as const);
  return [
    [`÷ ${base}'s`, ...products],
    ...cpu.map((figures) =>
      rowOf(`CPU, ${figures.title}`, products, figures[cpuRatios]),
    ),
    ...(latency === null
      ? []
      : [rowOf("added median latency", products, latency[latencyRatios])]),
  ];
}

/** The precision of our engines' flag and split. */
export function tabulateExactness({ flips, split }: Results): Table {
  return [
    [
      "",
      "flag set to false to the last request for the canary, ms",
      "weight set to 0 to the last one, ms",
      "largest error of the split",
    ],
    ...Object.keys({ ...flips, ...split }).map((name) => {
      const deviation = split[name];
      return [
        name,
        formatRange(flips[name]?.ms),
        formatRange(flips[name]?.weightMs),
        deviation === undefined
          ? "–"
          : `${deviation.maxDeviation} of ${deviation.requests.toLocaleString("en-US")} requests`,
      ];
    }),
  ];
}

export function tabulateMemory({ memory }: Results): Table {
  const rows = Object.entries(memory).map(([name, { warmMb, endMb }]) => [
    name,
    `${warmMb} MB`,
    `${endMb} MB`,
  ]);
  return [["resident memory", "warmed up", "at the end"], ...rows];
}

function rowOf(
  title: string,
  products: readonly string[],
  figures: ByProduct<Range | null>,
): string[] {
  return [title, ...products.map((name) => formatRange(figures[name]))];
}

/** `1.2 (1–1.5)`: the median, and the least and greatest. */
export function formatRange(range: Range | null | undefined): string {
  if (range === null || range === undefined) return "–";
  const [median, min, max] = [range.median, range.min, range.max].map((value) =>
    value.toLocaleString("en-US"),
  );
  return `${median ?? ""} (${min ?? ""}–${max ?? ""})`;
}

/** Renders aligned columns. */
export function renderText(table: Table): string {
  const widths = table[0]?.map((_, i) =>
    Math.max(...table.map((row) => row[i]?.length ?? 0)),
  );
  return table
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths?.[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function renderMarkdown(table: Table): string {
  const [head = [], ...rows] = table;
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [head, head.map(() => "---"), ...rows].map(line).join("\n");
}
