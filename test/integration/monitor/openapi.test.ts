import { expect } from "chai";
import { OPERATIONS } from "../../../apps/monitor/api/openapi.js";
import { createApi } from "../../../apps/monitor/api/routes.js";
import { FakeApiBackend } from "../../support/http/fake-api-backend.js";
import { expectDocumented } from "../../support/http/expect-documented.js";
import { createMemoryLogger } from "../../support/logger.js";
import { startFleet } from "../../support/monitor/fleet.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

/** Where it stands in the document. */
const nameOf = (method: string, path: string) =>
  `${method} ${path.replace(/:(\w+)/g, "{$1}")}`;

function routesOf(api: ReturnType<typeof createApi>): string[] {
  return api.router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : route.stack.map(({ method }) => nameOf(method, route.path)),
  );
}

describe("monitor's OpenAPI document", () => {
  it("has every route of the API, and no other", () => {
    const api = createApi(new FakeApiBackend(), {
      flagName: "feature",
      adminToken: undefined,
      answerMetrics: (_request, response) => void response.send("metrics"),
      logger: createMemoryLogger(),
      dashboard: {
        files: new Map(),
        stream: { open: () => undefined } as never,
        readHistory: () => expect.fail(),
      },
    });
    expect([...new Set(routesOf(api))].sort()).to.deep.equal(
      OPERATIONS.map(({ method, path }) => nameOf(method, path)).sort(),
    );
  });

  it("describes what a monitor at work answers, without a field left out", async () => {
    const test = openTestRedis();
    const monitor = await startLeader(test, { DASHBOARD_URL: "http://d.test" });
    startFleet(test);
    await waitFor("a verdict", async () => {
      const { verdict, hosts, proxies } = await monitor.state();
      return verdict !== null && hosts.length === 2 && proxies.length > 0;
    });
    const bodies: Record<string, object> = {
      "/api/flags/{name}": { value: false, reason: "test" },
      "/api/rollout/{verb}": { candidate: "0.3.0", stable: "0.2.0" },
    };
    for (const { method, path, status = 200, answer } of OPERATIONS) {
      // test/system/verdict has one.
      if (path === "/api/verdicts/{id}") continue;
      const url = path.replace("{name}", "feature").replace("{verb}", "start");
      const stopReading = new AbortController();
      const response = await fetch(monitor.url + url, {
        method,
        signal: stopReading.signal,
        ...(bodies[path] && { body: JSON.stringify(bodies[path]) }),
      });
      expect(response.status, url).to.equal(status);
      const type = response.headers.get("content-type") ?? "";
      if (typeof answer === "string") expect(type, url).to.include(answer);
      else expectDocumented(path, await response.json());
      stopReading.abort();
    }
  });
});
