import { COMPONENT_COUNT } from "../../apps/monitor/verdict/evidence/dictionary.js";
import {
  LIVE_RESTARTS,
  RESTART_MS,
} from "../../apps/monitor/verdict/starts.js";
import {
  WindowPairing,
  type WindowPair,
} from "../../apps/monitor/verdict/window-pair.js";
import { encodeDecks } from "../../lib/telemetry/decks.js";
import {
  OTHER_ROUTES,
  parseTelemetry,
  SIDES,
} from "../../lib/telemetry/telemetry.js";
import { trafficWindow } from "../../test/support/monitor/telemetry.js";
import { TestedRelease } from "../../test/support/monitor/verdict-traffic.js";
import { medianOf, rangeOf, type Range } from "../statistics.js";

const ROUTES = 50;
const REQUESTS_PER_WINDOW = 2500;
const WINDOWS_PER_SECOND = 2;
/** Until the maximum number of restarts is active. */
const WARM_UP_SECONDS = 10 + (LIVE_RESTARTS * RESTART_MS) / 1000;

export interface JudgingFigures {
  routes: number;
  components: number;
  requestsPerSecond: number;
  /** CPU time in µs of a second's two windows, its judgement, and storing the test. */
  us: Range | null;
  /** Size of the stored test. */
  storedBytes: number;
  /** Share of one core, from 0 to 1. */
  ratio: number;
}

/** The verdict's cost in the monitor for each second: read and count two windows of every route, judge, and store. */
export function measureJudging(seconds: number): JudgingFigures {
  const release = new TestedRelease(1);
  release.routes = [
    ...Array.from({ length: ROUTES - 1 }, (_, i) => `GET /r${i}`),
    OTHER_ROUTES,
  ];
  release.requestsPerWindow = REQUESTS_PER_WINDOW;
  const pairing = new WindowPairing();
  const costs: number[] = [];
  let stored = "";
  for (let second = 0; second < WARM_UP_SECONDS + seconds; second++) {
    const entries = Array.from({ length: WINDOWS_PER_SECOND }, () => {
      release.atMs += 1000 / WINDOWS_PER_SECOND;
      return toEntries(release.createPair());
    }).flat();
    const before = cpuUs();
    for (const { atMs, fields } of entries) {
      const telemetry = parseTelemetry(fields);
      if ("problem" in telemetry || telemetry.kind !== "traffic")
        throw new Error("a window is none");
      const pair = pairing.add(telemetry.source, telemetry, atMs);
      if (pair !== undefined) release.test.observe(pair, release.baseline);
    }
    const { routes } = release.judge();
    stored = JSON.stringify({
      test: release.test.toStored(),
      baseline: release.baseline.toStored(),
    });
    const cost = cpuUs() - before;
    if (second < WARM_UP_SECONDS) continue;
    if (routes.some(({ because }) => because !== null))
      throw new Error("a route is not compared");
    costs.push(cost);
  }
  return {
    routes: ROUTES,
    components: COMPONENT_COUNT,
    requestsPerSecond: REQUESTS_PER_WINDOW * WINDOWS_PER_SECOND,
    us: rangeOf(costs),
    storedBytes: Buffer.byteLength(stored),
    ratio: Math.round(medianOf(costs) / 100) / 10_000,
  };
}

/** As read from Redis. */
function toEntries(pair: WindowPair): { atMs: number; fields: string[] }[] {
  const { atMs } = pair;
  return SIDES.map((side) => {
    const { dealt, routes } = pair[side];
    const decks = Array.isArray(pair.decks) ? pair.decks : [];
    const data = trafficWindow(side, [], {
      split: "3:1",
      dealt,
      routes: Object.fromEntries(routes),
      ...(side === "canary" && encodeDecks(decks)),
    });
    const fields = { kind: "traffic", source: "p", at: String(atMs) };
    const entry = { ...fields, data: JSON.stringify(data) };
    return { atMs, fields: Object.entries(entry).flat() };
  });
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
