import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { releaseVersion } from "../../../lib/program/release.js";
import type { Keys } from "../../../lib/redis/keys.js";
import {
  parseNotice,
  parseTelemetry,
  type HostSample,
} from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../../support/cleanup.js";
import { send } from "../../support/http/http-client.js";
import {
  spawnListening,
  spawnProgram,
} from "../../support/programs/program-process.js";
import { startProgram } from "../../support/programs/program.js";
import {
  connectRedis,
  freshKeys,
  redisUrl,
} from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import { waitFor } from "../../support/wait-for.js";

const OFTEN = { SAMPLE_INTERVAL_MS: "100" };
const GONE = {
  up: false,
  pid: null,
  startedAt: null,
  cpuRatio: null,
  rssBytes: null,
};

/** Reads the samples of agents. */
class Samples {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(keys: Keys, url = redisUrl()) {
    this.#keys = keys;
    this.#redis = connectRedis(url);
    onCleanup(() => this.#redis.disconnect());
  }

  async read(): Promise<HostSample[]> {
    const entries = await this.#redis.xrange(this.#keys.telemetry, "-", "+");
    return entries.flatMap(([, fields]) => {
      if (parseNotice(fields) !== undefined) return [];
      const entry = parseTelemetry(fields);
      if ("problem" in entry || entry.kind !== "host")
        throw new Error(`no host sample: ${fields.join(" ")}`);
      return entry.data;
    });
  }

  async notices(): Promise<(string | undefined)[]> {
    const entries = await this.#redis.xrange(this.#keys.telemetry, "-", "+");
    return entries.flatMap(
      ([, fields]) => parseNotice(fields)?.data.kind ?? [],
    );
  }

  /** Waits for a matching sample. */
  async find(what: string, isIt: Predicate): Promise<HostSample> {
    return await waitFor(`a sample ${what}`, async () =>
      (await this.read()).find(isIt),
    );
  }
}

type Predicate = (sample: HostSample) => boolean;

const isUp: Predicate = (sample) => sample.up;
const hasAnswer: Predicate = ({ probe }) => probe.ok;
const isOf =
  (pid: number): Predicate =>
  (sample) =>
    sample.pid === pid;
const not =
  (isIt: Predicate): Predicate =>
  (sample) =>
    !isIt(sample);
const both =
  (one: Predicate, other: Predicate): Predicate =>
  (sample) =>
    one(sample) && other(sample);

/** Any process to sample. */
function spawnSleep(): number {
  const child = spawn("sleep", ["60"]);
  onCleanup(() => void child.kill("SIGKILL"));
  return child.pid!;
}

async function startFakeApp(onRequest: RequestListener): Promise<string> {
  const server = createServer(onRequest).listen(0, "127.0.0.1");
  await once(server, "listening");
  onCleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("agent program", () => {
  it("does not start with bad settings and lists them all", async () => {
    const agent = spawnProgram("agent", { APP_URL: "here", ...OFTEN });
    expect(await agent.exited).to.equal(1);
    expect(agent.stderr()).to.equal(
      [
        "agent does not start: bad settings:",
        "  - TARGET is not set: give one of prod, canary",
        '  - APP_URL is "here": give http://host:port without a path\n',
      ].join("\n"),
    );
  });

  it("samples the app and its process", async () => {
    const env = { ROLE: "canary", VERSION: "2.0.0" };
    const app = await spawnListening("app", env);
    const agent = await startProgram("agent", {
      ...OFTEN,
      TARGET: "canary",
      APP_URL: app.url,
      APP_PID: String(app.pid),
    });
    const samples = new Samples(agent.keys);
    await waitFor("3 samples", async () => (await samples.read()).length >= 3);
    // A probe has 100 ms, which a busy machine may exceed.
    const whole = await samples.find(
      "with an answer and CPU",
      both(hasAnswer, ({ cpuRatio }) => cpuRatio !== null),
    );
    const all = await samples.read();
    const { probe, startedAt, cpuRatio, rssBytes, ...rest } = whole;
    expect(rest).to.deep.equal({
      target: "canary",
      host: hostname(),
      version: "2.0.0",
      pid: app.pid,
      up: true,
    });
    expect(probe).to.include({ ok: true, status: 200 });
    expect(cpuRatio).to.be.at.least(0);
    expect(rssBytes).to.be.above(10_000_000);
    const ageMs = Date.now() - Date.parse(startedAt!);
    expect(ageMs).to.be.within(0, 20_000);
    expect(new Set(all.map((sample) => sample.startedAt)).size).to.equal(1);
  });

  it("samples the process that listens at the app's URL when it is told none", async () => {
    const app = await spawnListening("app", { ROLE: "prod" });
    const env = { TARGET: "prod", APP_URL: app.url, ...OFTEN };
    const agent = await startProgram("agent", env);
    await new Samples(agent.keys).find("of the app", isOf(app.pid));
  });

  it("reports CPU as a ratio of one core", async () => {
    const busy = spawn(process.execPath, ["-e", "for (;;);"]);
    onCleanup(() => void busy.kill("SIGKILL"));
    const env = { TARGET: "prod", APP_PID: String(busy.pid!), ...OFTEN };
    const agent = await startProgram("agent", env);
    const samples = new Samples(agent.keys);
    // Not a whole core on a busy machine, and not exact over 100 ms.
    await samples.find(
      "of much work",
      ({ cpuRatio }) => cpuRatio! > 0.1 && cpuRatio! < 2,
    );
  });

  it("follows a restart through the pidfile", async () => {
    const pidfile = join(createTempDirectory(), "app.pid");
    const first = await spawnListening("app", { ROLE: "prod", VERSION: "1" });
    writeFileSync(pidfile, `${first.pid}\n`);
    const agent = await startProgram("agent", {
      ...OFTEN,
      TARGET: "prod",
      APP_URL: first.url,
      APP_PIDFILE: pidfile,
    });
    const samples = new Samples(agent.keys);
    const before = await samples.find("of the app", isUp);

    first.child.kill("SIGKILL");
    await first.exited;
    // Process and probe are read concurrently: one may fail a sample before the other.
    const gone = await samples.find(
      "without the app",
      both(not(isUp), not(hasAnswer)),
    );
    expect(gone).to.include({ ...GONE, version: null });
    expect(gone.probe).to.include({ ok: false, status: null });

    const { port } = new URL(first.url);
    const env = { ROLE: "prod", VERSION: "2", PORT: port };
    const second = await spawnListening("app", env);
    writeFileSync(pidfile, `${second.pid}\n`);
    const after = await samples.find(
      "of the new app",
      both(isOf(second.pid), hasAnswer),
    );
    expect(after).to.include({ up: true, version: "2" });
    expect(Date.parse(after.startedAt!)).to.be.above(
      Date.parse(before.startedAt!),
    );
    const followed = agent.log.filter(({ msg }) => msg.includes("the app"));
    expect(followed.map(({ pid }) => pid)).to.deep.equal([
      first.pid,
      null,
      second.pid,
    ]);
  });

  it("follows a restart through systemd", async () => {
    const directory = createTempDirectory();
    const [argsFile, pidFile, systemctl] = ["args", "pid", "systemctl"].map(
      (name) => join(directory, name),
    ) as [string, string, string];
    writeFileSync(
      systemctl,
      `#!/bin/sh\necho "$@" >"${argsFile}"\nexec cat "${pidFile}"\n`,
    );
    chmodSync(systemctl, 0o755);
    const [first, second] = [spawnSleep(), spawnSleep()];
    writeFileSync(pidFile, `MainPID=${first}\nControlGroup=/none\n`);
    const agent = await spawnListening("agent", {
      ...OFTEN,
      TARGET: "prod",
      APP_UNIT: "app@1.service",
      PATH: `${directory}:${process.env.PATH ?? ""}`,
    });
    const samples = new Samples(agent.keys);
    await samples.find("of the unit's first process", isOf(first));
    writeFileSync(pidFile, "MainPID=0\nControlGroup=\n");
    await samples.find("of the stopped unit", not(isUp));
    writeFileSync(pidFile, `MainPID=${second}\n`);
    await samples.find("of the unit's second process", isOf(second));
    expect(readFileSync(argsFile, "utf8")).to.equal(
      "show -p MainPID -p ControlGroup app@1.service\n",
    );
  });

  it("counts an unknown process as not running and logs it once", async () => {
    const directory = createTempDirectory();
    const env = { TARGET: "prod", APP_PIDFILE: directory, ...OFTEN };
    const agent = await startProgram("agent", env);
    const samples = new Samples(agent.keys);
    await waitFor("3 samples", async () => (await samples.read()).length >= 3);
    expect((await samples.read())[0]).to.include(GONE);
    const told = agent.log.filter(
      ({ msg }) => msg === "cannot read the app's process",
    );
    expect(told.map(({ level }) => level)).to.deep.equal(["warn"]);
  });

  it("has one probe in flight when the app does not respond", async () => {
    let [open, most] = [0, 0];
    const appUrl = await startFakeApp((request) => {
      most = Math.max(most, (open += 1));
      request.once("close", () => (open -= 1));
    });
    const agent = await startProgram("agent", {
      ...OFTEN,
      TARGET: "prod",
      APP_URL: appUrl,
      APP_PID: String(process.pid),
    });
    const samples = new Samples(agent.keys);
    await waitFor("3 samples", async () => (await samples.read()).length >= 3);
    expect(most).to.equal(1);
    const { up, probe } = (await samples.read())[0]!;
    expect(up).to.be.true;
    expect(probe).to.include({ ok: false, status: null });
    expect(probe.ms).to.be.at.least(99);
  });

  it("starts without Redis and continues when Redis comes, goes and returns", async () => {
    const port = await findServicePort();
    const keys = freshKeys();
    const agent = await startProgram("agent", {
      ...OFTEN,
      TARGET: "prod",
      APP_PID: String(process.pid),
      REDIS_URL: `redis://127.0.0.1:${port}`,
      KEY_PREFIX: keys.prefix,
    });
    const first = await startPrivateRedis({ port });
    onCleanup(first.stop);
    await new Samples(keys, first.url).find("in the first Redis", isUp);
    await first.stop();
    const second = await startPrivateRedis({ port });
    onCleanup(second.stop);
    await new Samples(keys, second.url).find("in the second Redis", isUp);
    const warnings = agent.log.filter(
      ({ level, connection }) => level === "warn" && connection === "agent",
    );
    expect(warnings).to.have.length(2);
    expect(warnings[0]!.msg).to.equal("Redis is away");
    // Which one depends on whether Redis left unread data.
    expect(warnings[1]!.msg).to.be.oneOf([
      "Redis connection lost",
      "Redis is away",
    ]);
  });

  it("takes its first sample when Redis is reachable", async () => {
    const port = await findServicePort();
    const agent = await startProgram("agent", {
      TARGET: "prod",
      APP_PID: String(process.pid),
      REDIS_URL: `redis://127.0.0.1:${port}`,
      SAMPLE_INTERVAL_MS: "60000",
    });
    await waitFor("Redis to be missed", () =>
      agent.log.some(({ msg }) => msg === "Redis is away"),
    );
    const redis = await startPrivateRedis({ port });
    onCleanup(redis.stop);
    await new Samples(agent.keys, redis.url).find("of the start", isUp);
  });

  it("ends promptly on SIGTERM without sending the current sample", async () => {
    let probed = false;
    const appUrl = await startFakeApp(
      ({ url }) => (probed = url === "/up?full=1"),
    );
    const agent = await spawnListening("agent", {
      TARGET: "prod",
      APP_URL: appUrl,
      HEALTH_PATH: "/up?full=1",
      APP_PID: String(process.pid),
      SAMPLE_INTERVAL_MS: "60000",
    });
    await waitFor("the probe", () => probed);
    const startedAt = runningTime();
    agent.child.kill("SIGTERM");
    expect(await agent.exited).to.equal(0);
    expect(runningTime() - startedAt).to.be.below(2000);
    expect(await new Samples(agent.keys).read()).to.be.empty;
    expect(agent.stderr()).to.be.empty;
  });

  it("ends promptly on SIGTERM between two samples", async () => {
    const agent = await spawnListening("agent", {
      TARGET: "prod",
      APP_PID: String(process.pid),
      SAMPLE_INTERVAL_MS: "60000",
    });
    await new Samples(agent.keys).find("of itself", isUp);
    agent.child.kill("SIGTERM");
    expect(await agent.exited).to.equal(0);
  });

  it("announces its start and its stop by telemetry", async () => {
    const env = { TARGET: "prod", APP_PID: String(process.pid) };
    const agent = await startProgram("agent", env);
    const samples = new Samples(agent.keys);
    await samples.find("of itself", isUp);
    await agent.stop();
    expect(await samples.notices()).to.deep.equal(["start", "stop"]);
  });

  it("reports its own health", async () => {
    const env = { TARGET: "prod", APP_PID: String(process.pid) };
    const agent = await startProgram("agent", env);
    const response = await fetch(`${agent.url}/healthz`);
    expect(await response.json()).to.deep.equal({
      status: "ok",
      target: "prod",
      version: releaseVersion(),
      host: hostname(),
      pid: process.pid,
    });
    expect((await fetch(agent.url)).status).to.equal(404);
    const headers = { host: `rebound.example:${agent.port}` };
    expect(await send(agent.port, { headers })).to.include({ status: 403 });
  });
});
