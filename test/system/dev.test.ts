import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { fetchText } from "../../apps/launcher/processes/http-probe.js";
import { LauncherProcess } from "../support/programs/launcher.js";
import { ServiceRepository } from "../support/programs/service-repository.js";
import { callInParallel } from "../support/system/http-call.js";
import { createTempDirectory } from "../support/temp-directory.js";
import { waitFor } from "../support/wait-for.js";

const CLI = fileURLToPath(new URL("../../apps/cli/main.js", import.meta.url));
const SERVER = `
const { release } = JSON.parse(require("node:fs").readFileSync("built.json"));
require("node:http").createServer((request, response) =>
  response.end(JSON.stringify({ release, pid: process.pid })),
).listen(process.env.PORT, process.env.HOST);
`;

interface Host {
  target: string;
  pid: number | null;
  version: string | null;
  probeOk: boolean;
}

async function start(repository: ServiceRepository, ...options: string[]) {
  const args = ["dev", "--file", repository.file, ...options];
  const env = { XDG_CACHE_HOME: createTempDirectory() };
  const launcher = new LauncherProcess(CLI, args, env);
  await launcher.untilReady();
  return launcher;
}

/** Both sides' hosts, as the monitor sees them. */
async function readHosts(launcher: LauncherProcess): Promise<Host[]> {
  const port = await launcher.readPort("monitor");
  return await waitFor("both hosts", async () => {
    const state = await fetchText(`http://127.0.0.1:${port}/api/state`);
    const { hosts } = JSON.parse(state ?? '{"hosts":[]}') as { hosts: Host[] };
    const isSeen = hosts.length === 2 && hosts.every(({ probeOk }) => probeOk);
    return isSeen && hosts;
  });
}

function isRunning(pid: number | null): boolean {
  return existsSync(`/proc/${String(pid)}`) && commandOf(pid) !== "";
}

/** Empty for a process that has ended and was not collected yet. */
function commandOf(pid: number | null): string {
  const command = readFileSync(`/proc/${String(pid)}/cmdline`, "utf8");
  return command.replaceAll("\0", " ").trim();
}

describe("serin dev on a service that is not Serin's", function () {
  this.timeout(180_000);

  it("splits between the stable revision and the working tree, and measures their processes", async () => {
    const repository = new ServiceRepository();
    repository.write({
      "serin.yml": `
service: shop
run: true && node server.js
build: cp source.json built.json
health: /`,
      "server.js": SERVER,
      "source.json": '{"release": "stable"}',
    });
    repository.commit();
    repository.git("branch", "stable");
    repository.write({ "source.json": '{"release": "last"}' });
    repository.commit();
    repository.write({ "source.json": '{"release": "edited"}' });
    const launcher = await start(repository);

    const port = await launcher.readPort("proxy");
    const answers = await callInParallel(40, { port, path: "/" });
    const served = answers.map(({ servedBy, body }) => ({
      servedBy,
      ...(JSON.parse(body) as { release: string; pid: number }),
    }));
    const canary = served.filter(({ servedBy }) => servedBy === "canary");
    expect(canary).to.have.length(10);
    for (const { servedBy, release } of served)
      expect(release).to.equal(servedBy === "canary" ? "edited" : "stable");
    const hosts = await readHosts(launcher);
    for (const { target, pid, version } of hosts) {
      const answer = served.find(({ servedBy }) => servedBy === target);
      expect(pid).to.equal(answer?.pid);
      expect(commandOf(pid)).to.equal("node server.js");
      expect(launcher.screen).to.include(
        `release ${version!}, process ${pid!}`,
      );
    }

    launcher.signal("SIGINT");
    expect(await launcher.ended).to.equal(0);
    for (const { pid } of hosts) expect(isRunning(pid)).to.equal(false);
  });

  it("does not blame a new version for the time in which it started", async () => {
    const repository = new ServiceRepository();
    const serve = (text: string) =>
      `require("node:http").createServer((request, response) => response.end("${text}")).listen(process.env.PORT, process.env.HOST);`;
    repository.write({
      "serin.yml": "service: other\nrun: exec node server.js\nhealth: /\n",
      "server.js": serve("old"),
    });
    repository.commit();
    const launcher = await start(repository, "--watch", "--traffic");
    await launcher.untilShown(/traffic {3}prod \d+, canary \d+; p95/);
    repository.write({
      "server.js": `setTimeout(() => { ${serve("new")} }, 3000);`,
    });
    await launcher.untilShown(/change {4}server\.js: restarting the canary/);
    await launcher.untilShown(/back {6}canary app is ready again/);
    await launcher.untilShown(/back [^]*traffic {3}prod \d+, canary \d+; p95/);
    expect(launcher.screen).not.to.match(/ (flip|breach|mail) {4,}/);
  });

  it("runs a service in Python, without a health page", async () => {
    const repository = new ServiceRepository();
    repository.write({
      "serin.yml": `
service: pages
run: python3 -m http.server $PORT --bind $HOST --directory public
health: none`,
      "public/index.html": "old",
    });
    repository.commit();
    repository.write({ "public/index.html": "new" });
    const launcher = await start(repository);
    const port = await launcher.readPort("proxy");
    const answers = await callInParallel(8, { port, path: "/" });
    const bodies = answers.map(({ servedBy, body }) => `${servedBy} ${body}`);
    expect(new Set(bodies)).to.deep.equal(new Set(["prod old", "canary new"]));
    for (const { pid } of await readHosts(launcher))
      expect(commandOf(pid)).to.include("-m http.server");
  });
});
