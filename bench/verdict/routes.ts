import { RouteBook } from "../../apps/proxy/traffic/route-book.js";
import { bucketOf } from "../../lib/telemetry/latency-histogram.js";
import { createSeededRandom } from "../../test/support/seeded-random.js";
import { waitFor } from "../../test/support/wait-for.js";
import { medianOf, round } from "../statistics.js";
import { NEVER_BREACH, underLoad, withSystem } from "../with-system.js";

const CONNECTIONS = 16;
const ROUTES = 50;
/** Between two windows: 1,000 a second. */
const REQUESTS_PER_WINDOW = 500;
const ROUNDS = 11;
const ANSWERED = { status: 200, rescued: false };
const PATIENCE_MS = 170_000;

export interface RouteFigures {
  requests: number;
  /** CPU time in µs of one request in the proxy, and of counting it by route. */
  proxyUs: number;
  routesUs: number;
  /** The ratio of the proxy's CPU time with and without route telemetry. */
  ratio: number;
}

/** Route telemetry's share of the proxy's CPU time. It cannot be switched off, so it is measured separately. */
export async function measureRoutes(requests: number): Promise<RouteFigures> {
  const routesUs = measureBook(requests);
  const proxyUs = await measureProxy(requests);
  return {
    requests,
    proxyUs: round(proxyUs),
    routesUs: round(routesUs),
    ratio: Math.round((1000 * proxyUs) / (proxyUs - routesUs)) / 1000,
  };
}

/** Counts requests and serialises the windows; the median of several rounds, the first of which warms up the compiler. */
function measureBook(requests: number): number {
  const random = createSeededRandom(1);
  const book = new RouteBook();
  const sent = Array.from({ length: REQUESTS_PER_WINDOW }, () => ({
    request: {
      method: "GET",
      url: `/r${Math.floor(random() * ROUTES)}/key`,
      side: random() < 0.25 ? ("canary" as const) : ("prod" as const),
      isDealt: true,
    },
    latencyMs: 100 * random(),
  }));
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let done = 0; done < requests; done += sent.length) {
      for (const { request, latencyMs } of sent)
        book.count(request, ANSWERED, bucketOf(latencyMs));
      JSON.stringify(book.take(0));
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  });
  return medianOf(rounds.slice(1));
}

async function measureProxy(requests: number): Promise<number> {
  const cpuTap = new URL("./cpu-tap.js", import.meta.url).href;
  const nodeOptions = { proxy: ["--import", cpuTap] };
  return await withSystem({ nodeOptions, env: NEVER_BREACH }, (system) =>
    underLoad(
      system,
      { connections: CONNECTIONS, pauseMs: 0 },
      async (readCounts) => {
        const untilAnswers = (due: number) =>
          waitFor(
            `${due} answers`,
            async () => {
              const { answers } = await readCounts();
              return answers >= due && { answers };
            },
            PATIENCE_MS,
          );
        const first = await untilAnswers(requests / 2);
        const before = Number(await system.proxy.ask("tell"));
        const last = await untilAnswers(first.answers + requests);
        const used = Number(await system.proxy.ask("tell")) - before;
        return used / (last.answers - first.answers);
      },
    ),
  );
}
