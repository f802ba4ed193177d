import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { answersPing } from "../../../apps/launcher/processes/redis-server.js";
import { Ledger } from "../../../lib/flag/ledger.js";
import { readRunningSystems } from "../../../lib/program/running-system.js";
import { onCleanup } from "../../support/cleanup.js";
import { LocalLauncher } from "../../support/programs/launcher.js";
import { StandIns } from "../../support/programs/stand-ins.js";
import {
  connectRedis,
  freshKeys,
  redisUrl,
} from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

const PROGRAM_COUNT = 6;
/** A proxy that ignores SIGTERM. */
const STUBBORN_PROXY = {
  proxy: `
    import { runStandIn } from "${new URL("../../support/programs/launcher-stand-in.js", import.meta.url).href}";
    await runStandIn();
    process.on("SIGTERM", () => undefined);
    setInterval(() => undefined, 1000);`,
};

/** A launcher in this process with all stand-ins running. */
async function startReady(
  options?: Parameters<StandIns["launch"]>[0],
): Promise<{ launcher: LocalLauncher; standIns: StandIns }> {
  const standIns = new StandIns();
  const launcher = standIns.launch(options);
  await launcher.untilReady();
  return { launcher, standIns };
}

/** The same in a process of its own, for signals. */
async function startReadyProcess(
  scripts?: ConstructorParameters<typeof StandIns>[0],
) {
  const standIns = new StandIns(scripts);
  const launcher = standIns.launchProcess();
  await launcher.untilReady();
  return { launcher, standIns };
}

/** Asks a launcher to stop, twice in quick succession, and waits until it has ended. */
async function sendCopy() {
  const { launcher, standIns } = await startReadyProcess(STUBBORN_PROXY);
  const sentAt = performance.now();
  launcher.signal("SIGINT");
  await launcher.untilShown(/Stopping/);
  launcher.signal("SIGINT");
  const lateMs = performance.now() - sentAt;
  const status = await launcher.ended;
  return { status, standIns, lateMs };
}

describe("launcher", function () {
  this.timeout(180_000);

  it("shows all addresses and the split", async () => {
    const { launcher, standIns } = await startReady();
    expect(launcher.screen).to.include(
      "Requests are split 3:1 between prod and canary.",
    );
    expect(standIns.readPids()).to.have.length(PROGRAM_COUNT);
    const proxyPort = await launcher.readPort("proxy");
    expect(launcher.screen).to.include(`curl localhost:${proxyPort}/\n`);
    const [, logs] = await launcher.untilShown(/logs +(\S+)/);
    expect(readdirSync(logs!)).to.have.members([
      "redis.log",
      "prod-app.log",
      "canary-app.log",
      "prod-agent.log",
      "canary-agent.log",
      "proxy.log",
      "monitor.log",
    ]);
  });

  it("leaves its addresses for serin while it runs", async () => {
    const { launcher } = await startReady();
    const folder = launcher.runtimeDirectory;
    const env = { XDG_RUNTIME_DIR: folder, HOME: folder };
    const [system] = readRunningSystems(env);
    expect(system?.settings).to.deep.equal({
      REDIS_URL: `redis://127.0.0.1:${await launcher.readRedisPort()}`,
      KEY_PREFIX: "serin:",
      FLAG_NAME: "feature",
      MONITOR_URL: `http://127.0.0.1:${await launcher.readPort("monitor")}`,
    });
    await launcher.stop();
    expect(readRunningSystems(env)).to.deep.equal([]);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    it(`leaves nothing behind after ${signal}`, async () => {
      const { launcher, standIns } = await startReadyProcess();
      const redisPort = await launcher.readRedisPort();
      launcher.signal(signal);
      expect(await launcher.ended).to.equal(0);
      expect(standIns.countRunning()).to.equal(0);
      expect(await answersPing(redisPort)).to.equal(false);
      expect(launcher.screen).to.match(/Stopped\. Nothing is left behind\.\n$/);
      expect(readdirSync(launcher.tempDirectory)).to.deep.equal([]);
    });

  it("counts Ctrl-C and the copy forwarded by npm as one", async () => {
    let copy = await sendCopy();
    // On a busy machine it may arrive so late that it counts as a second one.
    for (let tries = 1; copy.lateMs > 200 && tries < 3; tries++)
      copy = await sendCopy();
    expect(copy.status).to.equal(0);
    expect(copy.standIns.countRunning()).to.equal(0);
  }).timeout(120_000);

  it("kills everything at the second signal", async () => {
    const { launcher, standIns } = await startReadyProcess(STUBBORN_PROXY);
    // A signal soon after the first counts as its copy. The grace of the stubborn proxy is much longer.
    await waitFor("it to end", () => {
      launcher.signal("SIGINT");
      return launcher.hasEnded;
    });
    expect(await launcher.ended).to.equal(130);
    await waitFor("all to end", () => standIns.countRunning() === 0);
  });

  it("leaves no program running when it is killed", async () => {
    const { launcher, standIns } = await startReadyProcess();
    const redisPort = await launcher.readRedisPort();
    launcher.signal("SIGKILL");
    await waitFor("all to end", () => standIns.countRunning() === 0);
    await waitFor("Redis to end", async () => !(await answersPing(redisPort)));
  });

  it("stops at once in the middle of its start", async () => {
    const standIns = new StandIns({
      monitor: "setInterval(() => undefined, 1000);",
    });
    const launcher = standIns.launch();
    await waitFor("the apps to run", () => standIns.countRunning() >= 2);
    expect(await launcher.stop()).to.equal(0);
    expect(standIns.countRunning()).to.equal(0);
    expect(readdirSync(launcher.tempDirectory)).to.deep.equal([]);
  });

  it("reports why a program does not start, keeps its log, stops the others", async () => {
    const standIns = new StandIns({
      monitor: `console.error("the port is taken"); process.exit(1);`,
    });
    const launcher = standIns.launch();
    expect(await launcher.ended).to.equal(1);
    const [, log = ""] = /Full log: (\S+)\n$/.exec(launcher.errors) ?? [];
    expect(launcher.errors).to.equal(
      [
        "Serin failed to start: monitor ended with status 1. Last log lines:",
        "  | the port is taken",
        `Full log: ${log}\n`,
      ].join("\n"),
    );
    expect(readFileSync(log, "utf8")).to.include("taken");
    expect(standIns.countRunning()).to.equal(0);
  });

  it("lists the bad settings of all programs before it starts one", async () => {
    const pathOf = (path: string) =>
      fileURLToPath(new URL(path, import.meta.url));
    const launcher = new LocalLauncher({
      programsDirectory: pathOf("../../../apps/"),
      file: pathOf("../../../../apps/app/serin.yml"),
      env: {
        ...{ SPLIT: "9", LATENCY_THRESHOLD_MS: "fast" },
        ...{ HEALTH_PATH: "up", ADMIN_PORT: "many", KEY_PREFIX: "a b" },
      },
    });
    expect(await launcher.ended).to.equal(2);
    expect(launcher.screen).to.equal("");
    expect(launcher.errors.match(/(?<=^ {2}- )\S+/gm)).to.deep.equal([
      ...["KEY_PREFIX", "ADMIN_PORT", "HEALTH_PATH", "SPLIT"],
      "LATENCY_THRESHOLD_MS",
    ]);
  });

  it("reports and restarts a program that ends", async () => {
    const { launcher, standIns } = await startReady();
    const before = standIns.readPids();
    process.kill(before[0]!, "SIGKILL");
    await launcher.untilShown(
      /died {6}(.+) was killed by SIGKILL; restarting in 0\.5 s\. Last log line: none\n/,
    );
    const [, name] = await launcher.untilShown(/back {6}(.+) is ready again/);
    expect(launcher.screen).to.include(`${name!} was killed by SIGKILL`);
    expect(standIns.countRunning()).to.equal(PROGRAM_COUNT);
  });

  it("restarts its Redis", async () => {
    const { launcher } = await startReady();
    const port = await launcher.readRedisPort();
    const redis = connectRedis(`redis://127.0.0.1:${port}`);
    const [, pid] = /process_id:(\d+)/.exec(await redis.info("server"))!;
    redis.disconnect();
    process.kill(Number(pid), "SIGKILL");
    await launcher.untilShown(/died {6}Redis was killed by SIGKILL/);
    await launcher.untilShown(/back {6}Redis is ready again/);
    expect(await answersPing(port)).to.equal(true);
  });

  it("shows mails as they arrive and keeps them", async () => {
    const launcher = new StandIns().launch({
      env: { MAIL_SUBJECT: "canary stopped" },
    });
    const [, kept] = await launcher.untilShown(
      /mail {6}to team@serin\.test: canary stopped\n +First line\.\n +Second line\.\n +(\S+0001\.eml)\n/,
    );
    await launcher.untilReady();
    await launcher.stop();
    const [, directory] = await launcher.untilShown(
      /Stopped\. Mails and logs stay in (\S+)\n$/,
    );
    expect(readdirSync(directory!)).to.have.members(["mails", "logs"]);
    expect(kept).to.equal(join(directory!, "mails", "0001.eml"));
    expect(readFileSync(kept!, "utf8")).to.include("Subject: canary stopped");
  });

  it("shows each event of the ledger of an existing Redis", async () => {
    const keys = freshKeys();
    const redis = connectRedis();
    onCleanup(() => redis.disconnect());
    const ledger = new Ledger(redis, keys);
    const flip = { by: "operator", data: {} } as const;
    await ledger.flip("feature", { ...flip, value: false, reason: "before" });
    const { launcher } = await startReady({
      env: { REDIS_URL: redisUrl(), KEY_PREFIX: keys.prefix },
    });
    expect(launcher.screen).to.include("Redis       existing (REDIS_URL)");
    await ledger.flip("feature", { ...flip, value: true, reason: "all well" });
    await launcher.untilShown(
      /\d\d:\d\d:\d\d UTC {2}flip {6}feature is on: all well\n/,
    );
    expect(launcher.screen).not.to.include("before");
  });

  it("names an existing Redis that does not answer, without its password", async () => {
    const standIns = new StandIns();
    const launcher = standIns.launch({
      env: { REDIS_URL: "redis://:secret@127.0.0.1:1" },
    });
    expect(await launcher.ended).to.equal(1);
    expect(launcher.errors).to.include("no Redis answers at 127.0.0.1:1");
    expect(launcher.screen + launcher.errors).not.to.include("secret");
    expect(standIns.readPids()).to.deep.equal([]);
  });

  it("names all ports in use and starts nothing", async () => {
    const servers = [createServer(), createServer()];
    const ports = await Promise.all(
      servers.map(async (server) => {
        await once(server.listen(0, "127.0.0.1"), "listening");
        onCleanup(() => void server.close());
        return String((server.address() as { port: number }).port);
      }),
    );
    const launcher = new StandIns().launch({
      env: { PROXY_PORT: ports[0]!, CANARY_PORT: ports[1]! },
    });
    expect(await launcher.ended).to.equal(2);
    expect(launcher.errors).to.include(
      `${ports[0]!} for the proxy is in use: set PROXY_PORT to another port`,
    );
    expect(launcher.errors).to.include(
      `${ports[1]!} for the canary app is in use: set CANARY_PORT to another port`,
    );
    expect(launcher.screen).to.equal("");
    expect(readdirSync(launcher.tempDirectory)).to.deep.equal([]);
  });

  it("sends traffic with --traffic", async () => {
    const { launcher } = await startReady({ traffic: true });
    await launcher.untilShown(
      /traffic {3}20 requests\/s for 10 minutes: GET \/, GET \/healthz\n/,
    );
  });
});
