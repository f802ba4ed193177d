import { expect } from "chai";
import { encodeDecks, type DealtDeck } from "../../../lib/telemetry/decks.js";
import { startFleet } from "../../support/monitor/fleet.js";
import { routeWindow } from "../../support/monitor/verdict-traffic.js";
import { runCli } from "../../support/programs/cli.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import { createSeededRandom } from "../../support/seeded-random.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

/** Prod's requests in each window. */
async function startPlan(requests: number) {
  const test = openTestRedis();
  const monitor = await startLeader(test);
  const fleet = startFleet(test);
  const random = createSeededRandom(3);
  let left = 0;
  fleet.fieldsOf = (side) => {
    const count = side === "prod" ? Math.min(left, 60) : 0;
    left -= count;
    const answers = Array.from({ length: count }, () => ({
      latencyMs: 20 + 40 * random(),
    }));
    const decks: DealtDeck[] = [];
    return {
      ...{ requests: count, dealt: 0, routes: {} },
      ...(side === "prod" && {
        routesAlone: count > 0 ? { "GET /get": routeWindow(answers) } : {},
      }),
      ...(side === "canary" && encodeDecks(decks)),
    };
  };
  // Earlier requests would not count.
  await waitFor("the lease", async () => {
    const { verdict } = await monitor.state();
    return verdict !== null;
  });
  left = requests;
  const plan = (...args: string[]) =>
    runCli(test.keys, ["plan", ...args], { MONITOR_URL: monitor.url });
  return { plan, monitor };
}

describe("serin plan", function () {
  this.timeout(60_000);

  it("shows what is found at each weight in 80 columns, and a rollout", async () => {
    const { plan, monitor } = await startPlan(Infinity);
    await waitFor("enough requests", async () => {
      const answer = await fetch(`${monitor.url}/api/plan?weights=25`);
      return ((await answer.json()) as { missing: unknown }).missing === null;
    });
    const { status, stdout, stderr } = await plan("--weight", "2", "25");
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    expect(stdout).to.match(
      /^ *weight +canary +slower +errors +× 1\.2 +× 1\.5 +× 2$/m,
    );
    expect(stdout).to.match(/^ +25 % +\d+\/s +× [\d.]+ +[\d.]+ %/m);
    expect(stdout).to.match(/^rollout:\n {2}steps:\n {4}- \{weight: 2, for: /m);
    const table = stdout.split("\n").filter((line) => /^ *\d+ %/.test(line));
    expect(table).to.have.length(2);
    for (const line of table) expect(line.length).to.be.at.most(80);
  });

  it("says what it needs while prod has had too few requests", async () => {
    const { plan } = await startPlan(40);
    await waitFor("the requests", async () => {
      const { stdout } = await plan();
      return stdout.includes("40 requests");
    });
    const { status, stdout } = await plan();
    expect(status).to.equal(5);
    expect(stdout).to.match(
      /^prod has had 40 requests on its busiest route; 200 are needed, about \d+ more minutes?\n$/,
    );
    const json = JSON.parse((await plan("--json")).stdout) as {
      missing: string;
    };
    expect(json.missing).to.match(/^prod has had 40 requests/);
  });

  it("refuses weights and minutes that are none", async () => {
    const { plan } = await startPlan(0);
    for (const args of [
      ["--weight", "0"],
      ["--weight", "100"],
      ["--weight", "7.555"],
      ["--minutes", "0"],
    ])
      expect((await plan(...args)).status).to.equal(2);
  });
});
