import { OTHER_ROUTES } from "../apps/proxy/route-book.js";
import { COMPONENT_COUNT } from "../apps/monitor/verdict/dictionary.js";
import { TestedRelease } from "../test/support/verdict-traffic.js";
import { spreadOf, type Spread } from "./statistics.js";

const ROUTES = 50;
const REQUESTS_PER_WINDOW = 2500;
const WINDOWS_PER_SECOND = 2;
/** Enough that every route is compared, and the code compiled. */
const WARM_UP_SECONDS = 30;

export interface JudgingFigures {
  routes: number;
  components: number;
  /** CPU time of a second's two windows and its judgement, in µs. */
  us: Spread;
  /** Of 1: what that is of one core. */
  ratio: number;
}

/** What a second of the verdict costs the monitor: to count two windows of every route, and to judge. */
export function measureJudging(seconds: number): JudgingFigures {
  const release = new TestedRelease(1);
  release.routes = [
    ...Array.from({ length: ROUTES - 1 }, (_, i) => `GET /r${i}`),
    OTHER_ROUTES,
  ];
  release.requestsPerWindow = REQUESTS_PER_WINDOW;
  const costs: number[] = [];
  for (let second = 0; second < WARM_UP_SECONDS + seconds; second++) {
    const pairs = Array.from({ length: WINDOWS_PER_SECOND }, () => {
      release.atMs += 1000 / WINDOWS_PER_SECOND;
      return release.createPair();
    });
    const before = cpuUs();
    for (const pair of pairs) release.test.observe(pair, release.baseline);
    const { routes } = release.judge();
    const cost = cpuUs() - before;
    if (second < WARM_UP_SECONDS) continue;
    if (routes.some(({ because }) => because !== null))
      throw new Error("a route is not compared");
    costs.push(cost);
  }
  const us = spreadOf(costs);
  return {
    routes: ROUTES,
    components: COMPONENT_COUNT,
    us,
    ratio: Math.round(us.median / 100) / 10_000,
  };
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
