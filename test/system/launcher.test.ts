import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { fetchText } from "../../apps/launcher/processes/http-probe.js";
import { LauncherProcess } from "../support/programs/launcher.js";
import { callInParallel } from "../support/system/http-call.js";
import { waitFor } from "../support/wait-for.js";

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const CLI = pathOf("../../apps/cli/main.js");
const SAMPLE = pathOf("../../../apps/app");
/** Half a minute is enough where nothing else runs. */
const COMPARISON_MS = 120_000;
const START = [
  ...["dev", "--file", `${SAMPLE}/serin.yml`],
  ...["--prod", SAMPLE, "--no-build"],
];

/** `npm start` without the preparation of a clone. */
async function startSerin(
  ...more: readonly string[]
): Promise<LauncherProcess> {
  const launcher = new LauncherProcess(CLI, [...START, ...more], {
    SLOW_MS: "700",
  });
  await launcher.untilReady();
  return launcher;
}

async function servedBy(port: number, path: string, count: number) {
  const answers = await callInParallel(count, { port, path });
  return answers.map((answer) => answer.servedBy);
}

/** The canary's host, as the monitor sees it. */
async function readCanaryHost(monitorPort: number) {
  const state = await fetchText(`http://127.0.0.1:${monitorPort}/api/state`);
  const { hosts } = JSON.parse(state ?? '{"hosts":[]}') as {
    hosts: { target: string; pid: number | null; up: boolean }[];
  };
  return hosts.find(({ target }) => target === "canary");
}

describe("npm start", function () {
  this.timeout(180_000);

  it("shows a slow canary being cut off, and the mail about it", async () => {
    const launcher = await startSerin();
    expect(launcher.screen).to.include(
      "Requests are split 3:1 between prod and canary.",
    );
    const port = await launcher.readPort("proxy");
    const sides = await servedBy(port, "/", 40);
    expect(sides.filter((side) => side === "canary")).to.have.length(10);

    await servedBy(port, "/slow", 40);
    await launcher.untilShown(/breach {4}canary p95 .+ > 500 ms/);
    await launcher.untilShown(/flip {6}feature is off: canary p95/);
    await launcher.untilShown(/mail {6}to team@serin\.test: .+ stopped: /);
    expect(new Set(await servedBy(port, "/", 20))).to.deep.equal(
      new Set(["prod"]),
    );
  });

  it("shows a canary below the threshold being stopped by comparison, and what users met", async () => {
    const launcher = await startSerin("--canary", "slow");
    await launcher.untilShown(
      /flip {6}feature is off: .+ slower than prod on /,
      COMPARISON_MS,
    );
    await launcher.untilShown(
      /harm {6}stopped after \d+ canary requests · \d+ users waited · prod untouched\n/,
    );
  }).timeout(240_000);

  it("shows a canary that crashes being stopped, and that prod answered", async () => {
    const launcher = await startSerin("--canary", "crash");
    await launcher.untilShown(/flip {6}feature is off: the canary failed 5 /);
    await launcher.untilShown(
      /harm {6}stopped after \d+ canary requests · .*prod answered \d+ in its place · .*prod untouched\n/,
    );
  });

  it("leaves nothing behind after Ctrl-C", async () => {
    const launcher = await startSerin();
    const ports = await Promise.all(
      ["proxy", "monitor", "prod app", "canary app"].map((name) =>
        launcher.readPort(name),
      ),
    );
    launcher.signal("SIGINT");
    expect(await launcher.ended).to.equal(0);
    expect(launcher.screen).to.match(/Stopped\. Nothing is left behind\.\n$/);
    for (const port of ports)
      expect(await fetchText(`http://127.0.0.1:${port}/healthz`)).to.equal(
        undefined,
      );
  });

  it("has the agent follow an app that died to its new process", async () => {
    const launcher = await startSerin();
    const monitorPort = await launcher.readPort("monitor");
    const before = await waitFor(
      "the canary to be seen",
      async () => (await readCanaryHost(monitorPort))?.pid,
    );
    process.kill(before, "SIGKILL");
    await launcher.untilShown(/died {6}canary app was killed by SIGKILL/);
    await launcher.untilShown(/back {6}canary app is ready again/);
    await waitFor("the new process to be seen", async () => {
      const host = await readCanaryHost(monitorPort);
      return host?.up === true && host.pid !== before;
    });
  });
});
