import { expect } from "chai";
import { Roster } from "../../../apps/monitor/telemetry/roster.js";
import type { HostSample } from "../../../lib/telemetry/telemetry.js";
import { goneSample, hostSample } from "../../support/monitor/telemetry.js";

const AGENT = "agent@web1:3101";
const NOW = 1_700_000_000_000;
const SILENCE_MS = 5000;

const HEALTHY = hostSample("canary");
const GONE = goneSample("canary");
const FAILING = hostSample("canary", {
  probe: { ok: false, ms: 3.2, status: 503 },
});
const HANGING = hostSample("canary", {
  probe: { ok: false, ms: 1000.4, status: null },
});

/** A roster with these samples of one agent, one per second, the last at NOW. */
function rosterOf(...samples: HostSample[]): Roster {
  const roster = new Roster({
    cpu: { threshold: 0.9, windowMs: 30_000 },
    silenceMs: SILENCE_MS,
    alertDelayMs: 1000,
  });
  samples.forEach((sample, i) =>
    roster.heardHost(AGENT, sample, NOW - (samples.length - 1 - i) * 1000),
  );
  return roster;
}

function reasons(roster: Roster): string[] {
  return roster.alerts(NOW, 0).map(({ reason }) => reason);
}

describe("roster's health of apps", () => {
  it("treats one sample without the app as a restart, two as gone", () => {
    expect(reasons(rosterOf(HEALTHY, GONE))).to.be.empty;
    expect(rosterOf(HEALTHY, GONE, GONE).alerts(NOW, 0)).to.deep.equal([
      {
        id: `gone:${AGENT}`,
        kind: "alert",
        reason: "the canary app on web1 is gone",
        data: {
          alert: "gone",
          source: AGENT,
          target: "canary",
          host: "web1",
          pid: null,
          sinceAt: new Date(NOW - 1000).toISOString(),
        },
      },
    ]);
  });

  it("does not add up samples across a healthy one", () => {
    expect(reasons(rosterOf(GONE, HEALTHY, GONE))).to.be.empty;
  });

  it("clears the alert once the app is back", () => {
    expect(reasons(rosterOf(GONE, GONE, GONE, HEALTHY))).to.be.empty;
  });

  it("raises an alert at two failing probes in a row, with the answer", () => {
    expect(reasons(rosterOf(HEALTHY, FAILING))).to.be.empty;
    expect(reasons(rosterOf(FAILING, FAILING))).to.deep.equal([
      "the canary app on web1 fails its health probe: status 503",
    ]);
    expect(reasons(rosterOf(HANGING, HANGING))).to.deep.equal([
      "the canary app on web1 fails its health probe: no answer in 1,000 ms",
    ]);
    expect(reasons(rosterOf(FAILING, HEALTHY, FAILING))).to.be.empty;
  });

  it("reports the present problem of an app that comes back failing", () => {
    expect(reasons(rosterOf(GONE, FAILING))).to.deep.equal([
      "the canary app on web1 fails its health probe: status 503",
    ]);
  });

  it("reports a missing app as gone, not as failing its probe", () => {
    expect(reasons(rosterOf(GONE, GONE, GONE))).to.have.length(1);
  });

  it("reports only the silence of a silent agent", () => {
    const alerts = rosterOf(GONE, GONE).alerts(NOW + SILENCE_MS + 1, 0);
    expect(alerts.map(({ id }) => id)).to.deep.equal([`silence:${AGENT}`]);
  });
});

describe("roster's unwell app", () => {
  it("is named with its host and what its probe got, until it is healthy", () => {
    const find = (roster: Roster, heardUntil = NOW) =>
      roster.findUnwell("canary", heardUntil);
    expect(find(rosterOf(FAILING, HEALTHY))).to.be.undefined;
    expect(rosterOf(FAILING).findUnwell("prod", NOW)).to.be.undefined;
    expect(find(rosterOf(FAILING))).to.equal(
      "the canary app on web1, which fails its health probe: status 503",
    );
    expect(find(rosterOf(HANGING))).to.equal(
      "the canary app on web1, which fails its health probe: no answer",
    );
    expect(find(rosterOf(GONE))).to.equal(
      "the canary app on web1, which is gone",
    );
    expect(find(rosterOf(HEALTHY), NOW + SILENCE_MS + 1)).to.equal(
      `the agent ${AGENT}, which is silent`,
    );
  });
});

describe("roster's last unhealthy moment", () => {
  const lastUnhealthyAt = (roster: Roster, heardUntil = NOW) =>
    roster.lastUnhealthyAt("canary", heardUntil);

  it("is unknown without an agent of that side", () => {
    expect(lastUnhealthyAt(rosterOf())).to.be.undefined;
    expect(rosterOf(HEALTHY).lastUnhealthyAt("prod", NOW)).to.be.undefined;
  });

  it("is unknown when the side's agents have stopped", () => {
    const roster = rosterOf(HEALTHY);
    roster.stopped(AGENT, NOW);
    expect(lastUnhealthyAt(roster)).to.be.undefined;
  });

  it("is null while all probes are healthy", () => {
    expect(lastUnhealthyAt(rosterOf(HEALTHY, HEALTHY))).to.be.null;
  });

  for (const [what, sample] of [
    ["failing probe", FAILING],
    ["sample without the app", GONE],
  ] as const) {
    it(`is the time of the last ${what}`, () => {
      const roster = rosterOf(sample, sample, HEALTHY, HEALTHY);
      expect(lastUnhealthyAt(roster)).to.equal(NOW - 2000);
    });
  }

  it("is the present while an agent is silent", () => {
    const roster = rosterOf(HEALTHY);
    expect(lastUnhealthyAt(roster, NOW + SILENCE_MS)).to.be.null;
    const later = NOW + SILENCE_MS + 1;
    expect(lastUnhealthyAt(roster, later)).to.equal(later);
  });

  it("is the end of a silence once the agent is back", () => {
    const roster = rosterOf(HEALTHY);
    const again = NOW + SILENCE_MS + 1;
    roster.heardHost(AGENT, HEALTHY, again);
    roster.heardHost(AGENT, HEALTHY, again + 1000);
    expect(lastUnhealthyAt(roster, again + 1000)).to.equal(again);
  });

  it("is the latest of all hosts on the side", () => {
    const roster = rosterOf(FAILING, HEALTHY, HEALTHY, HEALTHY);
    const second = "agent@web2:3101";
    roster.heardHost(second, FAILING, NOW - 1000);
    roster.heardHost(second, HEALTHY, NOW);
    roster.heardHost("agent@web3:3101", hostSample("prod"), NOW);
    expect(lastUnhealthyAt(roster)).to.equal(NOW - 1000);
  });
});
