import { expect } from "chai";
import {
  Placebo,
  storedPlacebo,
} from "../../../apps/monitor/verdict/placebo.js";
import type { HostDeck } from "../../../lib/telemetry/host-decks.js";
import { describePlacebo } from "../../../lib/wording/placebo.js";
import {
  slowerBy,
  TestedRelease,
} from "../../support/monitor/verdict-traffic.js";

const TURN_MS = 600_000;
const HOSTS = ["10.0.0.11:3001", "10.0.0.12:3001"] as const;
const RULES = {
  tolerance: { ratio: 0.1, ms: 5 },
  stallMs: 5000,
  warmUpMs: 60_000,
};

/** Prod's two hosts, as a proxy reports them. */
class Site {
  readonly release: TestedRelease;
  placebo: Placebo;
  /** The host that is slower, and by what. */
  slow: { host: string; factor: number } | undefined;

  constructor(seed: number) {
    this.release = new TestedRelease(seed);
    this.release.share = 0.5;
    this.release.requestsPerWindow = 20;
    this.release.hear(60);
    this.release.atMs = Math.ceil(this.release.atMs / TURN_MS) * TURN_MS;
    this.placebo = new Placebo(0.01, this.release.baseline);
  }

  hear(seconds: number): void {
    const { release, placebo } = this;
    for (let i = 0; i < 2 * seconds; i++) {
      // What has been dealt before this window began.
      const compared = HOSTS[Math.floor(release.atMs / TURN_MS) % 2]!;
      const { host, factor } = this.slow ?? { host: "", factor: 1 };
      release.respond = slowerBy(host === compared ? factor : 1);
      release.atMs += 500;
      const { decks, ...pair } = release.createPair();
      const dealt = (decks as HostDeck[]).map((deck) => ({
        ...deck,
        compared,
      }));
      const hostDecks = { hosts: 2, decks: dealt };
      placebo.observe({ ...pair, decks: [], hostDecks }, RULES);
      if (i % 2 === 0) placebo.judge();
    }
  }

  report() {
    return this.placebo.report(this.release.atMs)!;
  }
}

describe("verdict on prod's own hosts", function () {
  this.timeout(240_000);

  it("finds no difference of like hosts, which take turns of ten minutes", () => {
    const site = new Site(1);
    expect(site.placebo.report(site.release.atMs)).to.equal(undefined);
    site.hear(599);
    expect(site.report()).to.deep.equal({
      ...{ prodHosts: 2, comparisons: 0, stopped: 0, hosts: [] },
    });
    site.hear(5 * 600);
    expect(site.report()).to.deep.include({ comparisons: 5, stopped: 0 });
    const turns = site.report().hosts.map(({ comparisons }) => comparisons);
    expect(turns).to.have.members([2, 3]);
    expect(describePlacebo(site.report())).to.equal(
      "prod against itself: 0 of 5 comparisons would have stopped",
    );
  });

  it("names the host that is slower, once in each of its turns", () => {
    const site = new Site(2);
    site.slow = { host: HOSTS[1], factor: 1.5 };
    site.hear(4 * 600 + 10);
    const report = site.report();
    expect(report).to.deep.include({ comparisons: 4, stopped: 2 });
    const [slow] = report.hosts.filter(({ stopped }) => stopped > 0);
    expect(slow).to.deep.include({ host: HOSTS[1], comparisons: 2 });
    expect(describePlacebo(report)).to.match(
      /^prod against itself: 2 of 4 comparisons would have stopped, most often 10\.0\.0\.12:3001 \(1\.\d × slower on GET \/get\)$/,
    );
  });

  it("counts no comparison with too few requests, and none in which prod changed", () => {
    const few = new Site(3);
    few.release.requestsPerWindow = 2;
    few.hear(10);
    few.release.atMs += TURN_MS;
    few.hear(10);
    expect(few.report().comparisons).to.equal(0);
    const changed = new Site(4);
    changed.hear(300);
    changed.placebo.spoil(changed.release.atMs);
    changed.hear(301);
    expect(changed.report().comparisons).to.equal(0);
    changed.hear(600);
    expect(changed.report().comparisons).to.equal(1);
  });

  it("keeps the last day, also over a restart, which counts no turn twice", () => {
    const site = new Site(5);
    site.slow = { host: HOSTS[1], factor: 2 };
    site.hear(1200);
    const json = JSON.stringify(site.placebo.toStored());
    const stored = storedPlacebo.parse(JSON.parse(json));
    site.placebo = new Placebo(0.01, site.release.baseline, stored);
    site.hear(1);
    const before = site.report();
    expect(before.stopped).to.equal(1);
    site.hear(300);
    expect(site.report()).to.deep.equal(before);
    site.release.atMs += 24 * 3_600_000;
    expect(site.report().comparisons).to.equal(0);
  });

  it("needs two hosts", () => {
    const site = new Site(6);
    const pair = site.release.createPair();
    site.placebo.observe(
      { ...pair, hostDecks: { hosts: 1, decks: [] } },
      RULES,
    );
    expect(describePlacebo(site.report())).to.equal(
      "prod against itself: needs two prod hosts",
    );
  });

  it("ignores decks of one window that differ in size, or come from the future", () => {
    const site = new Site(7);
    site.hear(10);
    const [deck] = site.release.createPair().decks as HostDeck[];
    const wrong = { ...deck!, slot: 2 * deck!.slot, compared: HOSTS[0] };
    const other = {
      ...wrong,
      np: 2,
      requests: [...deck!.requests, deck!.requests[0]!],
    };
    const pair = {
      ...site.release.createPair(),
      hostDecks: { hosts: 2, decks: [wrong, other] },
    };
    site.placebo.observe(pair, RULES);
    site.placebo.judge();
    site.hear(1200);
    expect(site.report().stopped).to.equal(0);
  });
});
