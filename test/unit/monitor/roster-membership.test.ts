import { expect } from "chai";
import { Roster } from "../../../apps/monitor/telemetry/roster.js";
import { hostSample, trafficWindow } from "../../support/monitor/telemetry.js";

const PROXY = "proxy@edge1:8080";
const AGENT = "agent@web1:3101";
const NOW = 1_700_000_000_000;
const SILENCE_MS = 5000;
const HOUR_MS = 3_600_000;

/** A roster with a proxy and a canary's agent, last seen at NOW. */
function rosterOfTwo(): Roster {
  const roster = new Roster({
    cpu: { threshold: 0.9, windowMs: 30_000 },
    silenceMs: SILENCE_MS,
    alertDelayMs: 0,
  });
  roster.heardTraffic(PROXY, trafficWindow("prod"), NOW);
  roster.heardHost(AGENT, hostSample("canary"), NOW);
  return roster;
}

/** The alerts at `atMs`, without a gap in listening. */
function alertIds(roster: Roster, atMs: number, listeningSince = 0) {
  return roster.alerts(atMs, listeningSince).map(({ id }) => id);
}

describe("roster", () => {
  it("lists all members with their latest telemetry", () => {
    const roster = rosterOfTwo();
    const window = trafficWindow("prod", [1, 2]);
    const sample = hostSample("canary", { cpuRatio: 0.5 });
    roster.heardTraffic(PROXY, window, NOW + 500);
    roster.heardHost(AGENT, sample, NOW + 1000);
    expect(roster.proxies()).to.have.length(1);
    expect(roster.proxies()[0]).to.deep.include({
      source: PROXY,
      seenAt: NOW + 500,
      window,
    });
    expect(roster.hosts()).to.have.length(1);
    expect(roster.hosts()[0]).to.deep.include({
      source: AGENT,
      seenAt: NOW + 1000,
      sample,
    });
  });

  it("raises an alert for a silent member", () => {
    const roster = rosterOfTwo();
    expect(alertIds(roster, NOW + SILENCE_MS)).to.be.empty;
    const [proxy, agent] = roster.alerts(NOW + SILENCE_MS + 1, 0);
    expect(proxy).to.deep.equal({
      id: `silence:${PROXY}`,
      kind: "silence",
      reason: `the proxy ${PROXY} has fallen silent; it was last heard at 2023-11-14T22:13:20.000Z`,
      data: {
        alert: "silence",
        source: PROXY,
        lastSeenAt: "2023-11-14T22:13:20.000Z",
      },
    });
    expect(agent).to.include({ id: `silence:${AGENT}`, kind: "silence" });
    expect(agent?.reason).to.match(/^the agent of canary agent@web1:3101 has/);
  });

  it("clears the silence of a member that is back", () => {
    const roster = rosterOfTwo();
    roster.heardTraffic(PROXY, trafficWindow("prod"), NOW + 60_000);
    expect(alertIds(roster, NOW + 60_001)).to.deep.equal([`silence:${AGENT}`]);
  });

  it("reports no silence before it has listened for that long", () => {
    const since = NOW + 60_000;
    const roster = rosterOfTwo();
    expect(alertIds(roster, since + SILENCE_MS, since)).to.be.empty;
    expect(alertIds(roster, since + SILENCE_MS + 1, since)).to.have.length(2);
  });

  it("raises no alert after an orderly stop, and does not list the member", () => {
    const roster = rosterOfTwo();
    roster.stopped(PROXY, NOW + 100);
    roster.stopped(AGENT, NOW + 100);
    expect(alertIds(roster, NOW + 60_000)).to.be.empty;
    expect(roster.proxies()).to.be.empty;
    expect(roster.hosts()).to.be.empty;
  });

  it("does not list a member for telemetry sent during its stop", () => {
    const roster = rosterOfTwo();
    roster.stopped(PROXY, NOW + 100);
    roster.heardTraffic(PROXY, trafficWindow("prod", [1]), NOW + 300);
    expect(roster.proxies()).to.be.empty;
    expect(alertIds(roster, NOW + 60_000)).to.deep.equal([`silence:${AGENT}`]);
  });

  it("lists a member that still sends a minute after its stop", () => {
    const roster = rosterOfTwo();
    roster.stopped(AGENT, NOW);
    roster.heardHost(AGENT, hostSample("canary"), NOW + 59_999);
    expect(roster.hosts()).to.be.empty;
    roster.heardHost(AGENT, hostSample("canary"), NOW + 60_000);
    expect(roster.hosts()).to.have.length(1);
  });

  it("lists a member again at once when it restarts", () => {
    const roster = rosterOfTwo();
    roster.stopped(AGENT, NOW + 100);
    roster.started(AGENT);
    roster.heardHost(AGENT, hostSample("canary"), NOW + 2000);
    expect(roster.hosts()).to.have.length(1);
    expect(alertIds(roster, NOW + 60_000)).to.include(`silence:${AGENT}`);
  });

  it("handles a stop that arrives before earlier telemetry", () => {
    const roster = rosterOfTwo();
    const other = "proxy@edge2:8080";
    roster.stopped(other, NOW + 1000);
    roster.heardTraffic(other, trafficWindow("prod"), NOW + 900);
    expect(alertIds(roster, NOW + 4000)).to.be.empty;
    expect(alertIds(roster, NOW + 60_000)).not.to.include(`silence:${other}`);
  });

  it("forgets a member after an hour of silence", () => {
    const roster = rosterOfTwo();
    expect(alertIds(roster, NOW + HOUR_MS)).to.have.length(2);
    expect(alertIds(roster, NOW + HOUR_MS + 1)).to.be.empty;
    expect(roster.hosts()).to.be.empty;
    expect(roster.proxies()).to.be.empty;
  });
});

describe("roster's hearing", () => {
  it("is true for a recent member, not for an unknown one", () => {
    const roster = rosterOfTwo();
    expect(roster.hears(PROXY, NOW + SILENCE_MS)).to.be.true;
    expect(roster.hears("proxy@edge2:8080", NOW)).to.be.false;
  });

  it("is false for a silent member, however short it has listened", () => {
    const roster = rosterOfTwo();
    expect(roster.hears(AGENT, NOW + SILENCE_MS + 1)).to.be.false;
  });

  it("is true for a member that has stopped in order", () => {
    const roster = rosterOfTwo();
    roster.stopped(AGENT, NOW + 100);
    expect(roster.hears(AGENT, NOW + 60_000)).to.be.true;
  });
});
