import type { IncomingMessage, ServerResponse } from "node:http";
import { collectDefaultMetrics, Registry, type Metric } from "prom-client";
import {
  summariseLatency,
  type LatencyHistogram,
} from "../telemetry/latency-histogram.js";
import type { Logger } from "./log.js";

/** Sampling interval of the event loop delay. The default of 10 ms would wake an idle program 100 times a second. */
const LOOP_DELAY_PRECISION_MS = 100;

type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [value: number, labels?: Labels];

type HistogramSample = readonly [
  latency: LatencyHistogram,
  labels: Labels,
  /** For an edge at 0.5 s, which the histogram's buckets do not have. */
  above500Ms?: number,
];

/** A metric at the time of a scrape. One without samples is left out, because an unknown value must not appear as 0. */
export type Family = { name: string; help: string } & (
  | { type: "gauge" | "counter" | "summary"; samples: readonly Sample[] }
  | {
      type: "histogram";
      samples: readonly HistogramSample[];
    }
);

const family =
  (type: "gauge" | "counter" | "summary") =>
  (name: string, help: string, samples: readonly Sample[]): Family => ({
    name,
    help,
    type,
    samples,
  });
export const gauge = family("gauge");
export const counter = family("counter");
/** Of samples with the label `quantile`. */
export const summary = family("summary");

/** The shape in which a registry reads a value. */
interface Reading {
  metricName?: string;
  value: number;
  labels: Readonly<Record<string, string | number>>;
}

/**
 * The metrics at `/metrics`: figures of the process, the release, and what `read` returns. Families are built only for a
 * scrape, so they cost nothing between two scrapes.
 */
export class Metrics {
  readonly #process = processFigures();
  readonly #build: Family;
  readonly #read: () => Family[] | Promise<Family[]>;

  constructor(options: {
    version: string;
    read: () => Family[] | Promise<Family[]>;
  }) {
    this.#read = options.read;
    this.#build = {
      name: "serin_build_info",
      help: "The release that runs; always 1.",
      type: "gauge",
      samples: [[1, { version: options.version }]],
    };
  }

  /** In Prometheus's text format. @throws what `read` throws */
  async text(): Promise<string> {
    const found = new Registry();
    for (const family of [this.#build, ...(await this.#read())])
      if (family.samples.length > 0) register(found, family);
    return (await this.#process.metrics()) + "\n" + (await found.metrics());
  }
}

let ofThisProcess: Registry | undefined;

/** One registry per process, because prom-client never stops observing the event loop and garbage collection. */
function processFigures(): Registry {
  if (ofThisProcess !== undefined) return ofThisProcess;
  const registry = new Registry();
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: LOOP_DELAY_PRECISION_MS,
  });
  // promtool rejects these gauges, which have a counter's name. The same figures by type stay.
  for (const { name } of registry.getMetricsAsArray())
    if (/^nodejs_active_\w+_total$/.test(name))
      registry.removeSingleMetric(name);
  return (ofThisProcess = registry);
}

/** A failed scrape gets a 503 and never ends the program. */
export function answerMetrics(
  metrics: Metrics,
  logger: Logger,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (_request, response) => {
    try {
      const text = await metrics.text();
      response.setHeader("content-type", Registry.PROMETHEUS_CONTENT_TYPE);
      response.end(text);
    } catch (err) {
      logger.warn({ err }, "the metrics could not be read");
      response.writeHead(503, { "content-type": "text/plain; charset=utf-8" });
      response.end("the metrics cannot be read now\n");
    }
  };
}

function register(registry: Registry, family: Family): void {
  const { name, help, type } = family;
  const values = readingsOf(family);
  const aggregator = "sum";
  const metric = {
    name,
    get: () => Promise.resolve({ name, help, type, aggregator, values }),
  };
  // The registry uses no more of a metric than this. prom-client's own classes cannot be set to given counts.
  registry.registerMetric(metric as unknown as Metric);
}

function readingsOf(family: Family): Reading[] {
  if (family.type !== "histogram")
    return family.samples.map(([value, labels = {}]) => ({ value, labels }));
  return family.samples.flatMap((sample) =>
    toHistogramReadings(family.name, sample),
  );
}

function toHistogramReadings(
  name: string,
  [latency, labels, above500Ms]: HistogramSample,
): Reading[] {
  const { octaves, sumMs } = summariseLatency(latency);
  const halfSecond =
    above500Ms === undefined
      ? []
      : [{ upToMs: 500, count: latency.total - above500Ms }];
  const edges = [...octaves, ...halfSecond].sort((a, b) => a.upToMs - b.upToMs);
  const metricName = `${name}_bucket`;
  return [
    ...edges.map(({ upToMs, count }) => ({
      metricName,
      value: count,
      labels: { ...labels, le: upToMs / 1000 },
    })),
    { metricName, value: latency.total, labels: { ...labels, le: "+Inf" } },
    { metricName: `${name}_sum`, value: sumMs / 1000, labels },
    { metricName: `${name}_count`, value: latency.total, labels },
  ];
}
