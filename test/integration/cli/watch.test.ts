import { expect } from "chai";
import { encodeLease } from "../../support/redis/lease.js";
import {
  Cli,
  cliEnvironment,
  CLI_MAIN,
  startCliProcess,
} from "../../support/programs/cli.js";
import { onCleanup } from "../../support/cleanup.js";
import { Subprocess } from "../../support/programs/subprocess.js";
import { startFleet } from "../../support/monitor/fleet.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";
const FIRST_SCREEN = "\u001b[?1049l";

describe("serin watch", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  const flip = (value: boolean) =>
    test.ledger.flip("feature", {
      ...{ value, reason: "a test asks", data: {} },
      by: "operator",
    });

  /** In a terminal of its own, by util-linux's script(1). */
  function startInTerminal() {
    const inside = `stty rows 12 columns 60; exec "${process.execPath}" "${CLI_MAIN}" watch`;
    const terminal = new Subprocess(
      ["script", "--quiet", "--return", "--command", inside, "/dev/null"],
      {
        env: { ...cliEnvironment(test.keys, {}), TERM: "xterm-256color" },
        hasInput: true,
      },
    );
    onCleanup(() => terminal.end());
    return terminal;
  }

  it("redraws in place within the window and restores the terminal at Ctrl-C", async () => {
    startFleet(test);
    const terminal = startInTerminal();
    await terminal.untilPrinted(/side +requests/);
    await flip(false);
    await terminal.untilPrinted(/Canary stopped/);
    const page = terminal.stdout;
    expect(page).to.include(HIDE_CURSOR);
    expect(page).not.to.include(SHOW_CURSOR);
    // The screen is never cleared, and no frame is higher than the window.
    expect(page).not.to.include("\u001b[2J");
    for (const frame of page.split("\u001b[?2026h").slice(1))
      expect(frame.match(/\r\n/g)?.length ?? 0).to.be.below(12);
    terminal.child.stdin!.write("\u0003");
    expect(await terminal.ended).to.equal(0);
    const end = terminal.stdout.slice(
      terminal.stdout.lastIndexOf("\u001b[?7h"),
    );
    expect(end).to.include(SHOW_CURSOR).and.include(FIRST_SCREEN);
    expect(end).to.match(/Canary stopped [^]*\r\n$/);
  });

  it("prints one line per change to a pipe, and none for running times", async () => {
    const fleet = startFleet(test);
    let round = 0;
    fleet.fieldsOf = () => ({ withoutFeature: 1 + (round++ % 3) });
    await test.redis.set(test.keys.lease, encodeLease("monitor@edge1:8090", 1));
    await waitFor(
      "telemetry",
      async () => (await test.redis.xlen(test.keys.telemetry)) >= 4,
    );
    const cli = new Cli(test.keys, ["watch"]);
    await cli.untilPrinted(/Canary takes 25 % of traffic/);
    await test.ledger.flip("feature", {
      value: false,
      by: "monitor",
      reason: "canary slow",
      data: { nextTryAt: new Date(Date.now() + 60_000).toISOString() },
    });
    await cli.untilPrinted(
      /automatic retry in .* · prod answers \S+ requests\/s without the feature/,
    );
    const shownAt = Date.now();
    await waitFor("two more readings", () => Date.now() - shownAt > 2500);
    await flip(true);
    await cli.untilPrinted(/(Canary takes[^]*){2}/);
    const { status, stdout, stderr } = await cli.stop();
    expect(status).to.equal(0);
    expect(stderr).to.equal("");
    // eslint-disable-next-line no-control-regex -- there must be none
    expect(stdout).not.to.match(/[\u0000-\u0009\u000b-\u001f]/);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).to.have.length(3);
    for (const line of lines)
      expect(line).to.match(
        /^\d\d:\d\d:\d\d UTC {2}Canary .* cannot be reached: /,
      );
  });

  it("keeps running while Redis and the monitor are unreachable", async () => {
    const cli = startCliProcess(test.keys, ["watch"], {
      REDIS_URL: "redis://127.0.0.1:9",
    });
    await cli.untilPrinted(/Unknown: the monitor at .*; Redis at .*\n/);
    expect(await cli.end("SIGTERM")).to.equal(0);
  });
});
