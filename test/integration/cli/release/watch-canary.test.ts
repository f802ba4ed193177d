import { expect } from "chai";
import { readConfig } from "../../../../apps/cli/config.js";
import { CliError, EXIT } from "../../../../apps/cli/exit-status.js";
import {
  admitByFlag,
  watchCanary,
} from "../../../../apps/cli/release/watch/watch-canary.js";
import { MonitorClient } from "../../../../apps/cli/sources/monitor-client.js";
import { NOWHERE } from "../../../support/programs/cli.js";
import {
  createFlip,
  createGoodState,
  StateServer,
} from "../../../support/monitor/state-server.js";

const SETTINGS = {
  ...{ requests: 30, watchMs: 1500, limitMs: 20_000, errorRatio: 0.05 },
};

interface Watched {
  /** The exit status that the outcome has. */
  status: number;
  said: string;
  elapsedMs: number;
}

describe("the watch of a canary", () => {
  let server: StateServer;
  const connect = (url: string) =>
    new MonitorClient(readConfig({ MONITOR_URL: url }));

  beforeEach(async () => {
    server = await new StateServer().listen();
  });

  /** Watches by a clock that only the watch moves. `steps` run when it has moved to their time. */
  async function watch(
    steps: Record<number, () => void> = {},
    options: { settings?: Partial<typeof SETTINGS>; url?: string } = {},
  ): Promise<Watched> {
    let elapsedMs = 0;
    const lines: string[] = [];
    const end = (status: number, line: string) => ({
      ...{ status, elapsedMs, said: [...lines, line].join("\n") },
    });
    try {
      const requests = await watchCanary({
        monitor: connect(options.url ?? server.url),
        settings: { ...SETTINGS, ...options.settings },
        clock: {
          now: () => elapsedMs,
          wait: (ms) => {
            elapsedMs += ms;
            steps[elapsedMs]?.();
            return Promise.resolve();
          },
        },
        say: (line) => lines.push(line),
      });
      return end(EXIT.ok, `good after ${requests}`);
    } catch (err) {
      if (!(err instanceof CliError)) throw err;
      return end(err.status, err.message);
    }
  }

  it("passes after enough requests and time", async () => {
    expect(await watch()).to.deep.equal({
      status: EXIT.ok,
      elapsedMs: 1500,
      said: [
        "1 s: 12 requests, 0 errors",
        "1 s: 24 requests, 0 errors",
        "2 s: 36 requests, 0 errors",
        "good after 36",
      ].join("\n"),
    });
    const longer = await watch({}, { settings: { requests: 100 } });
    expect(longer).to.include({ status: EXIT.ok, elapsedMs: 4500 });
  });

  it("counts no request twice in the sliding window", async () => {
    server.state.sides.canary.windowMs = 2000;
    const { elapsedMs } = await watch({}, { settings: { requests: 24 } });
    expect(elapsedMs).to.equal(4000);
  });

  for (const [verdict, sentence] of [
    [
      { outcome: "insufficient", canaryRequestsNeeded: 140 },
      'the verdict is "insufficient", about 140 more canary requests',
    ],
    [{ outcome: "split broken" }, 'the verdict is "split broken"'],
    [
      { outcome: null, because: "nothing to compare" },
      "the verdict is still open: nothing to compare",
    ],
    [
      { outcome: "worse", mode: "observe" },
      'the verdict is "worse", evidence 1 : 40 (VERDICT=observe)',
    ],
  ] as const)
    it(`is undecided while ${sentence}`, async () => {
      Object.assign(server.state.verdict!, verdict);
      const { status, said } = await watch({}, { settings: { limitMs: 3000 } });
      expect(status).to.equal(EXIT.undecided);
      expect(said.split("\n").at(-1)).to.equal(sentence);
    });

  it("waits for the verdict, unless nothing is compared", async () => {
    server.state.verdict!.outcome = "insufficient";
    const late = await watch({
      5000: () => (server.state = createGoodState()),
    });
    expect(late).to.include({ status: EXIT.ok, elapsedMs: 5000 });
    server.state.verdict = null;
    expect((await watch()).status).to.equal(EXIT.ok);
  });

  it("fails at once while the flag is false", async () => {
    server.state.flag.value = false;
    expect(await watch()).to.deep.equal({
      status: EXIT.problem,
      elapsedMs: 0,
      said: "the flag is false, by operator: on",
    });
  });

  it("fails on a flip to false, also one reverted between two polls", async () => {
    const flip = () =>
      server.events.push(createFlip("2000-0", false, "canary p95 1,012 ms"));
    const { status, said } = await watch({ 1000: flip });
    expect(status).to.equal(EXIT.problem);
    expect(said).to.include(
      "the flag was false at now, by monitor: canary p95 1,012 ms",
    );
    server.events = [];
    const back = () => server.events.push(createFlip("2000-0", true, "back"));
    expect((await watch({ 1000: back })).status).to.equal(EXIT.ok);
  });

  it("fails when the canary returns errors", async () => {
    server.state.sides.canary.errors = 2;
    const { status, said } = await watch();
    expect(status).to.equal(EXIT.problem);
    expect(said).to.include(
      "the canary failed 6 of 36 requests, more than 5 %",
    );
  });

  it("is undecided after too little traffic, and names what closes the canary", async () => {
    server.state.sides.canary.requests = 1;
    Object.assign(server.state.proxies[0]!, {
      ...{ canaryOpen: false, because: "the lease is stale" },
    });
    const { status, said } = await watch({}, { settings: { limitMs: 3000 } });
    expect(status).to.equal(EXIT.undecided);
    expect(said).to.include(
      "the canary got 6 of 30 requests in 3 s, too few to judge (proxy@edge1:8080 keeps the canary closed: the lease is stale)",
    );
  });

  it("tolerates a short outage of the monitor, its leader or the service", async () => {
    const heal = () => {
      server.isDown = false;
      server.state = createGoodState();
    };
    for (const spoil of [
      () => (server.isDown = true),
      () => (server.state.lease = null),
      () => (server.state.hosts[1]!.up = false),
    ]) {
      const { status } = await watch({ 500: spoil, 5500: heal });
      expect(status).to.equal(EXIT.ok);
    }
  });

  it("ends after a long outage, and blames the canary only for its own", async () => {
    for (const [spoil, status, sentence] of [
      [
        () => (server.state.lease = null),
        EXIT.undecided,
        "no monitor leads, so the canary is not watched",
      ],
      [
        () => (server.state.hosts[1]!.up = false),
        EXIT.problem,
        "the service on canary1 is not running",
      ],
    ] as const) {
      server.state = createGoodState();
      const watched = await watch({ 500: spoil });
      expect(watched.status).to.equal(status);
      expect(watched.said).to.include(sentence);
    }
    const gone = await watch({}, { url: `http://${NOWHERE}` });
    expect(gone.status).to.equal(EXIT.undecided);
    expect(gone.said).to.include("cannot be reached");
  });

  it("admits a release only while the flag is true", async () => {
    await admitByFlag(connect(server.url));
    server.state.flag.value = false;
    const refusal = await rejectionOf(admitByFlag(connect(server.url)));
    expect(refusal.status).to.equal(EXIT.refused);
    expect(refusal.message).to.match(
      /^not built: the flag is false, by operator: on\. Build again when/,
    );
    const outage = await rejectionOf(admitByFlag(connect(`http://${NOWHERE}`)));
    expect(outage.status).to.equal(EXIT.unreachable);
  });
});

async function rejectionOf(promise: Promise<unknown>): Promise<CliError> {
  try {
    await promise;
  } catch (err) {
    if (err instanceof CliError) return err;
    throw err;
  }
  throw new Error("it did not reject");
}
