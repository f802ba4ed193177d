import { BASE, PLAIN, PRODUCT_NAMES } from "./contestants.js";
import type { Range } from "./ranges.js";
import type { ByProduct, Results } from "./results.js";
import type { Judged } from "./targets.js";

/** A table's rows, the first of which is its head. */
export type Table = string[][];

/** CPU and latency, each as a multiple of nginx's. */
export function tabulateRatios({ cpu, latency }: Results): Table {
  const products = PRODUCT_NAMES.filter((name) => name !== BASE);
  const row = (title: string, ratios: ByProduct<Range | null>) => [
    title,
    ...products.map((name) => formatRange(ratios[name])),
  ];
  return [
    [`÷ ${BASE}'s`, ...products],
    ...cpu.map(({ title, toNginx }) => row(`CPU, ${title}`, toNginx)),
    ...(latency === null
      ? []
      : [
          row("added p50, open loop", latency.addedP50ToNginx),
          row("added p99, open loop", latency.addedP99ToNginx),
        ]),
  ];
}

/** CPU and latency, each as a multiple of plain http-proxy's. */
export function tabulateRatiosToPlain({ cpu, latency }: Results): Table {
  const products = PRODUCT_NAMES.filter((name) => name !== PLAIN);
  const row = (title: string, ratios: ByProduct<Range | null>) => [
    title,
    ...products.map((name) => formatRange(ratios[name])),
  ];
  return [
    [`÷ ${PLAIN}'s`, ...products],
    ...cpu.map(({ title, toHttpProxy }) => row(`CPU, ${title}`, toHttpProxy)),
    ...(latency === null
      ? []
      : [row("added p50, open loop", latency.addedP50ToHttpProxy)]),
  ];
}

export function tabulateTargets(targets: readonly Judged[]): Table {
  return [
    ["", "engine", "measured", "accepted", "aim", ""],
    ...targets.map((target) => {
      const { figure, product, value, unit, accept, aim, verdict } = target;
      const measured = value === undefined ? "–" : `${value} ${unit}`;
      const engine = product.replace("serin ", "");
      return [figure, engine, measured, String(accept), String(aim), verdict];
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

/** `1.2 (1–1.5)`: the median, and the least and greatest. */
export function formatRange(range: Range | null | undefined): string {
  if (range === null || range === undefined) return "–";
  return `${range.median} (${range.min}–${range.max})`;
}

/** In columns. */
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
