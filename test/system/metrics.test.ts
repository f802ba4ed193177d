import { readFileSync } from "node:fs";
import { expect } from "chai";
import { untilCanaryServes } from "../support/system/conditions.js";
import { skipWithout } from "../support/needed-program.js";
import { promtool, PROMTOOL } from "../support/promtool.js";
import { scrape, type Scrape } from "../support/scrape.js";
import {
  NO_LATENCY_RULE,
  shareSystem,
  startLoad,
} from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const read = (name: string) =>
  readFileSync(
    new URL(`../../../deploy/prometheus/${name}`, import.meta.url),
    "utf8",
  );

/** What a scrape adds, and what a rule records. */
const NOT_SCRAPED = new Set(["up"]);

function namesIn(text: string): string[] {
  const names = text.match(/\b(up|(serin|process|nodejs)_[a-z_]+)\b(?!-)/g);
  return [...new Set(names)].filter((name) => !NOT_SCRAPED.has(name));
}

/** The expressions of the rules, and those of the dashboard. */
function expressions(): string {
  const rules = read("serin.rules.yml").replace(
    /^\s+(summary|description):.*$/gm,
    "",
  );
  const found: string[] = [];
  JSON.parse(read("serin-dashboard.json"), (key, value: unknown) => {
    if (key === "expr") found.push(String(value));
    return value;
  });
  expect(found).to.have.length.above(15);
  return [rules, ...found].join("\n");
}

describe("what Prometheus finds at a system under load", function () {
  this.timeout(60_000);
  const shared = shareSystem({ env: { monitor: NO_LATENCY_RULE } });
  let scrapes: Record<"proxy" | "monitor" | "agent", Scrape>;

  before(async () => {
    const system = shared();
    const load = startLoad(system);
    await untilCanaryServes(load);
    const at = (port: number) => scrape(`http://127.0.0.1:${port}`);
    await waitFor("all to be measured", async () => {
      scrapes = {
        proxy: await at(system.proxyAdminPort),
        monitor: await at(system.monitor.port),
        agent: await at(system.canaryAgent.port),
      };
      return (
        scrapes.monitor.names.has("serin_verdict_evidence") &&
        // A busy machine may have cost it the lease, until the next try.
        scrapes.monitor.samples.get("serin_monitor_leads") === 1 &&
        (scrapes.monitor.samples.get('serin_side_requests{target="prod"}') ??
          0) >= 90 &&
        scrapes.agent.names.has("serin_app_cpu_ratio")
      );
    });
    await load.stop();
  });

  it("is all that the rules and the dashboard ask for", () => {
    const known = new Set(
      Object.values(scrapes).flatMap(({ names }) => [...names]),
    );
    const asked = namesIn(expressions());
    expect(asked).to.include("serin_outbox_pending");
    expect(asked.filter((name) => !known.has(name))).to.deep.equal([]);
  });

  it("agrees with what is going on", () => {
    const { proxy, monitor, agent } = scrapes;
    expect(proxy.samples.get("serin_flag")).to.equal(1);
    expect(proxy.samples.get("serin_proxy_canary_open")).to.equal(1);
    expect(proxy.samples.get('serin_canary_share{kind="configured"}')).to.equal(
      0.25,
    );
    const served = proxy.samples.get(
      'serin_proxy_requests_total{target="canary",code="200"}',
    );
    expect(served).to.be.greaterThan(0);
    const durations = "serin_proxy_request_duration_seconds";
    expect(proxy.samples.get(`${durations}_count{target="canary"}`)).to.equal(
      served,
    );
    expect(monitor.samples.get("serin_monitor_leads")).to.equal(1);
    expect(monitor.samples.get("serin_lease_age_seconds")).to.be.within(0, 3);
    expect(monitor.samples.get('serin_flips_total{by="monitor"}')).to.equal(0);
    expect(monitor.samples.get("serin_outbox_pending")).to.equal(0);
    expect(
      monitor.samples.get('serin_canary_share{kind="actual"}'),
    ).to.be.within(0.2, 0.3);
    expect(agent.samples.get('serin_app_up{target="canary"}')).to.equal(1);
  });

  it("holds to Prometheus's conventions", function () {
    skipWithout(this, PROMTOOL);
    for (const [program, { text, names }] of Object.entries(scrapes)) {
      expect(names, program).to.include("process_cpu_seconds_total");
      promtool(["check", "metrics"], text);
    }
  });
});
