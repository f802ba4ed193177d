import type {
  SideSummary,
  StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import type { StateMessage } from "../messages/page-messages.js";
import { describePlacebo } from "../../../lib/wording/placebo.js";
import { byId, setText } from "./element.js";
import {
  describeTry,
  formatNumber,
  formatMs,
  formatRate,
  formatRatio,
  UNKNOWN,
} from "../../../lib/wording/units.js";

interface Figure {
  read: (side: SideSummary) => number | null;
  show: (value: number | null) => string;
  apart: (prod: number, canary: number, sides: StateReport["sides"]) => string;
  /** Whether the figure of the stop stays while the canary is stopped; true by default. */
  isFrozen?: boolean;
}

const RULES: Partial<Record<string, string>> = {
  latency: "the latency threshold",
  verdict: "the verdict",
  breaker: "a proxy’s breaker",
};

/** In the order of the rows on the page. */
const FIGURES: Figure[] = [
  latency("p50Ms"),
  latency("p95Ms"),
  latency("p99Ms"),
  {
    read: ({ requests, errors }) => (requests > 0 ? errors / requests : null),
    show: formatRatio,
    apart: (prod, canary, sides) =>
      `${signed((canary - prod) * 100, "pp")}\n± ${formatNumber(errorMargin(sides) * 100)}`,
  },
  {
    read: ({ requests, windowMs }) => (requests * 1000) / windowMs,
    show: formatRate,
    apart: (prod, canary) =>
      prod + canary > 0 ? formatRatio(canary / (prod + canary)) : UNKNOWN,
  },
  {
    read: ({ withoutFeature = 0, windowMs }) =>
      withoutFeature > 0 ? (withoutFeature * 1000) / windowMs : null,
    show: formatRate,
    apart: () => UNKNOWN,
    isFrozen: false,
  },
];

/** The verdict, and the recent figures of both sides. */
export class Comparison {
  readonly #verdict = byId("verdict");
  readonly #placebo = byId("placebo");
  readonly #caption = byId("figures-caption");
  readonly #rows = byId("figures", HTMLTableSectionElement).rows;

  show({ state, monitor }: StateMessage): void {
    const stop = state.flag.value ? null : state.stop;
    const { outcome, text } = describeVerdict(state, monitor.leads);
    this.#verdict.dataset.outcome = outcome;
    setText(this.#verdict, text);
    const { placebo } = state;
    if (placebo) setText(this.#placebo, describePlacebo(placebo));
    const seconds = state.sides.prod.windowMs / 1000;
    setText(
      this.#caption,
      stop ? `The ${seconds} s before the stop` : `Last ${seconds} s`,
    );
    FIGURES.forEach((figure, row) => {
      const sides =
        stop && figure.isFrozen !== false ? stop.sides : state.sides;
      const { prod, canary } = sides;
      const values = [figure.read(prod), figure.read(canary)] as const;
      const [ofProd, ofCanary] = values;
      const apart =
        ofProd === null || ofCanary === null
          ? UNKNOWN
          : figure.apart(ofProd, ofCanary, sides);
      const texts = [...values.map(figure.show), apart];
      const cells = this.#rows[row]?.querySelectorAll("td") ?? [];
      texts.forEach((text, i) => cells[i] && setText(cells[i], text));
    });
  }
}

function describeVerdict(
  { verdict, flag, recovery, stop }: StateReport,
  leads: boolean,
): { outcome: string; text: string } {
  // The verdict may be from just before the stop, or just after it.
  if (!flag.value || verdict?.outcome === "stopped")
    return { outcome: "none", text: describeStop(stop) };
  if (verdict === null)
    return {
      outcome: "none",
      text: leads
        ? "No comparison: VERDICT is off"
        : "The leading monitor compares; this one is on standby",
    };
  const { outcome, because, odds } = verdict;
  const { wouldFind = null } = verdict;
  const { attempt = 1 } = recovery;
  if (outcome === "healthy" && attempt > 1)
    return {
      outcome: "retry",
      text: `Not worse so far, on ${describeTry(attempt)} · odds ${odds} for worse`,
    };
  const texts: Partial<Record<string, string>> = {
    worse: `Yes, worse than prod · odds ${odds} for worse`,
    healthy: `No, not worse: ${wouldFind ?? 1.5} × slower would have been found · odds ${odds} for worse`,
    warming: `Warming up: errors are judged, latency is not yet · odds ${odds} for worse`,
    insufficient: `Too early to tell · odds ${odds} for worse · ${describeNeed(verdict)}`,
    "split broken": "Unknown: the split does not match its ratio",
  };
  const text = texts[outcome ?? ""] ?? `Unknown: ${because ?? "no data"}`;
  return { outcome: outcome ?? "none", text };
}

function describeStop(stop: StateReport["stop"]): string {
  if (!stop) return "Not compared while stopped";
  const by = RULES[stop.rule ?? ""];
  return `Stopped ${by === undefined ? "on request" : `by ${by}`} · not compared since`;
}

function describeNeed({
  because,
  canaryRequestsNeeded: needed,
  minutesNeeded = null,
}: NonNullable<StateReport["verdict"]>): string {
  if (needed === null)
    return because ?? "number of canary requests needed not known yet";
  const minutes = minutesNeeded === null ? "" : `, ${minutesNeeded} min`;
  return `about ${needed.toLocaleString("en-US")} more canary requests needed${minutes}`;
}

function latency(key: "p50Ms" | "p95Ms" | "p99Ms"): Figure {
  return {
    read: (side) => side[key],
    show: formatMs,
    apart: (prod, canary, sides) =>
      prod > 0
        ? `× ${(canary / prod).toFixed(2)}${describeInterval(canary / prod, sides, key)}`
        : UNKNOWN,
  };
}

/** `0.97–1.12` on a line of its own, with 95 % confidence; "" with too few requests. Both sides' deviations on the logarithmic scale add. */
function describeInterval(
  ratio: number,
  { prod, canary }: StateReport["sides"],
  key: "p50Ms" | "p95Ms" | "p99Ms",
): string {
  const [ofProd, ofCanary] = [prod, canary].map((side) => {
    const [from, to] = side.intervals?.[key] ?? [0, 0];
    return from > 0 ? Math.log(to / from) / 2 : undefined;
  });
  if (ofProd === undefined || ofCanary === undefined) return "";
  const factor = Math.exp(Math.hypot(ofProd, ofCanary));
  return `\n${(ratio / factor).toFixed(2)}–${(ratio * factor).toFixed(2)}`;
}

/** Half the 95 % confidence interval of the difference, after Agresti and Caffo (2000): one success and failure added to each. */
function errorMargin({ prod, canary }: StateReport["sides"]): number {
  const variance = ({ errors, requests }: SideSummary) => {
    const ratio = (errors + 1) / (requests + 2);
    return (ratio * (1 - ratio)) / (requests + 2);
  };
  return 1.96 * Math.sqrt(variance(prod) + variance(canary));
}

function signed(value: number, unit: string): string {
  if (Math.abs(value) < 0.05) return `± 0 ${unit}`;
  return `${value > 0 ? "+" : "−"} ${Math.abs(value).toFixed(1)} ${unit}`;
}
