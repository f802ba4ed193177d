import type { RunFacts } from "../results-file.js";
import type { JudgingFigures } from "./judging.js";
import type { RouteFigures } from "./routes.js";

/** bench/results/verdict.json */
export interface VerdictResults extends RunFacts {
  judging: JudgingFigures;
  routes: RouteFigures;
}

/** For docs/verdict.md. */
export function describeVerdictCost(results: VerdictResults): string {
  const { judging, routes, cores, loadAverage } = results;
  const ms = Math.round((judging.us?.median ?? NaN) / 1000);
  return (
    `With ${judging.routes} routes and ${judging.requestsPerSecond.toLocaleString("en-US")} requests/s the verdict takes ` +
    `${ms} ms of the monitor's CPU each second: reading the windows, judging, and storing the test. The proxy's CPU for ` +
    `each request is ${routes.ratio.toFixed(2)} times what it would be without counts by route. (\`npm run bench:verdict\`, ` +
    `${cores} cores, load average ${Math.round(loadAverage)}.)`
  );
}
