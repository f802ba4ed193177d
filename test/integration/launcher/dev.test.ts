import { EventEmitter, once } from "node:events";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { onCleanup } from "../../support/cleanup.js";
import type { LocalLauncher } from "../../support/programs/launcher.js";
import { ServiceRepository } from "../../support/programs/service-repository.js";
import { StandIns } from "../../support/programs/stand-ins.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import { waitFor } from "../../support/wait-for.js";

/** Answers, once its text is there, with the text. */
const SERVER = `
const text = require("node:fs").readFileSync(__dirname + "/text", "utf8");
require("node:http").createServer((request, response) => response.end(text))
  .listen(process.env.PORT, process.env.HOST);
`;
const SERVICE = "service: shop\nrun: exec node server.js\nhealth: /\n";

/** A committed service, and the working tree with another text. */
function createRepository(serviceFile = SERVICE): ServiceRepository {
  const repository = new ServiceRepository();
  const files = { "serin.yml": serviceFile, "server.js": SERVER };
  repository.write({ ...files, text: "old" });
  repository.commit();
  repository.write({ text: "new" });
  return repository;
}

/** A command. */
function serve(answer: string): string {
  return `node -e 'require("node:http").createServer((request, response) => { ${answer} }).listen(process.env.PORT, process.env.HOST)'`;
}

type LaunchOptions = Parameters<StandIns["launch"]>[0];

/** Runs the service by a launcher in this process, between stand-ins for Serin's programs. */
function launch(file: string, options: LaunchOptions = {}) {
  const standIns = new StandIns();
  const { env, ...others } = options;
  const launcher = standIns.launch({
    ...{ file, prod: undefined, build: true },
    ...others,
    env: { XDG_CACHE_HOME: createTempDirectory(), ...env },
  });
  return { launcher, standIns };
}

async function ask(launcher: LocalLauncher, name: string): Promise<string> {
  const port = await launcher.readPort(name);
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { connection: "close" },
  });
  return await response.text();
}

async function failureOf(launcher: LocalLauncher): Promise<string> {
  expect(await launcher.ended).to.equal(1);
  return launcher.errors.replace("Serin failed to start: ", "");
}

async function listen(): Promise<string> {
  const server = createServer((_request, response) => response.end());
  await once(server.listen(0, "127.0.0.1"), "listening");
  onCleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("serin dev", function () {
  this.timeout(180_000);

  it("runs the last commit as prod and the working tree as canary", async () => {
    const repository = createRepository();
    const { launcher } = launch(repository.file);
    await launcher.untilReady();
    expect(await ask(launcher, "prod app")).to.equal("old");
    expect(await ask(launcher, "canary app")).to.equal("new");
    expect(launcher.screen).to.match(
      /HEAD \(\w{10}\), release \d{14}-\w{10}, /,
    );
    expect(launcher.screen).to.match(
      /the working tree, release \S+\+\d{6}, process \d+\n/,
    );
  });

  it("restarts the canary, and only it, when a file changes", async () => {
    const repository = createRepository();
    const { launcher } = launch(repository.file, { watch: true });
    await launcher.untilReady();
    // As editors do.
    repository.write({ sedX: "newer" });
    renameSync(join(repository.root, "sedX"), join(repository.root, "text"));
    await launcher.untilShown(/change {4}text: restarting the canary\n/);
    await launcher.untilShown(/back {6}canary app is ready again/);
    expect(await ask(launcher, "canary app")).to.equal("newer");
    expect(launcher.screen).not.to.include("prod app is ready again");
  });

  it("builds both sides, and keeps a canary that cannot be built any more", async () => {
    const repository = createRepository(
      `${SERVICE}build: test -s text && cp text built`,
    );
    const { launcher } = launch(repository.file, { watch: true });
    await launcher.untilReady();
    expect(launcher.screen).to.match(
      /^Building HEAD \(\w+\): test -s .+ …\.* [\d.]+ s$/m,
    );
    expect(existsSync(join(repository.root, "built"))).to.equal(false);
    repository.write({ text: "" });
    await launcher.untilShown(
      /error {5}the build of the working tree ended with status 1 after/,
    );
    expect(await ask(launcher, "canary app")).to.equal("new");
  });

  it("names secrets that the shell does not have", async () => {
    const repository = createRepository(
      `${SERVICE}env: {secret: [TOKEN, KEY]}`,
    );
    const { launcher } = launch(repository.file, { env: { TOKEN: "t" } });
    await launcher.untilShown(/warning {3}not set in this shell: KEY \(/);
  });

  it("starts nothing in the place of instances that run already", async () => {
    const repository = createRepository();
    const [prod, canary] = [await listen(), await listen()];
    const { launcher, standIns } = launch(repository.file, {
      env: { PROD_URLS: prod, CANARY_URLS: canary },
      fault: "slow",
    });
    await launcher.untilReady();
    // Two agents, the proxy and the monitor.
    expect(standIns.readPids()).to.have.length(4);
    expect(launcher.screen).to.include(
      `as set by PROD_URLS, process ${process.pid}\n`,
    );
    await launcher.untilShown(
      /fault {5}not for a canary that CANARY_URLS names/,
    );
  });

  it("is steered by keys", async () => {
    const keys = Object.assign(new EventEmitter(), {
      ...{ setRawMode: () => undefined, resume: () => undefined },
      pause: () => undefined,
    });
    const { launcher } = launch(createRepository().file, { terminal: keys });
    await launcher.untilShown(/Keys: s slow canary/);
    keys.emit("data", Buffer.from("c"));
    await launcher.untilShown(/fault {5}the canary's process is killed/);
    keys.emit("data", Buffer.from("r"));
    await launcher.untilShown(/fault {5}none: the canary runs as it is/);
    await launcher.untilShown(/back {6}canary app is ready again/);
    expect(await ask(launcher, "canary app")).to.equal("new");
    expect(launcher.screen).not.to.match(/^\S+ +error /m);
  });

  describe("says why it does not start", () => {
    it("when the command ends at once", async () => {
      const { launcher } = launch(
        createRepository("service: shop\nrun: echo no database; exit 3").file,
      );
      expect(await failureOf(launcher)).to.match(
        /^(prod|canary) app ended with status 3\. Last log lines:\n {2}\| no database\n/,
      );
    });

    it("when the command goes to the background or does not exist", async () => {
      const failed = async (run: string) =>
        failureOf(
          launch(createRepository(`service: shop\nrun: ${run}`).file).launcher,
        );
      expect(await failed("exit 0")).to.match(
        /app ended with status 0\. It logged nothing\.\n`run` in serin\.yml must stay in the foreground /,
      );
      expect(await failed("nod server.js")).to.match(
        /app ended with status 127\. Last log lines:\n.*nod.*\n`run` in serin\.yml names a program that is neither in PATH /,
      );
    });

    for (const [what, server, fault] of [
      ["nothing listens", "sleep 60", /Nothing listens there: let the/],
      [
        "the health path is not found",
        serve("response.writeHead(404).end()"),
        /It answers 404: let `health` in/,
      ],
      [
        "the health path hangs",
        serve(""),
        /does not answer within 0\.2 s: let `health` in/,
      ],
    ] as const)
      it(`when ${what}`, async () => {
        const health = "health: {path: /up, start: 1500ms, timeout: 200ms}";
        const run = `run: exec ${server}`;
        const { launcher } = launch(
          createRepository(`service: shop\n${run}\n${health}`).file,
        );
        const failure = await failureOf(launcher);
        expect(failure).to.match(
          /app was not ready after 1\.5 s at http:\/\/127\.0\.0\.1:\d+\/up\. It logged nothing\.\n/,
        );
        expect(failure).to.match(fault);
      });

    it("when the build fails", async () => {
      const build = "build: echo no compiler; exit 2";
      const { launcher, standIns } = launch(
        createRepository(`${SERVICE}${build}`).file,
      );
      const failure = await failureOf(launcher);
      expect(failure).to.match(
        /^the build of HEAD \(\w+\) ended with status 2 after .+: echo no compiler; exit 2\. Last log lines:\n {2}\| no compiler\n/,
      );
      const [, log = ""] = /Full log: (\S+)\n$/.exec(failure) ?? [];
      expect(readFileSync(log, "utf8")).to.equal("no compiler\n");
      expect(standIns.readPids()).to.deep.equal([]);
    });

    it("when serin.yml is missing or malformed", async () => {
      const { launcher } = launch("/nowhere/serin.yml");
      expect(await launcher.ended).to.equal(2);
      expect(launcher.errors).to.include("write one with `serin init`");
      const { launcher: other } = launch(createRepository("service: X").file);
      expect(await other.ended).to.equal(2);
      expect(other.errors).to.include("serin.yml:1: ");
    });
  });

  it("stops in the middle of a build", async () => {
    const build = "build: touch started; sleep 60";
    const { launcher } = launch(createRepository(`${SERVICE}${build}`).file);
    await launcher.untilShown(/Building HEAD/);
    expect(await launcher.stop()).to.equal(0);
    await waitFor("the end", () => launcher.screen.includes("Stopped."));
  });
});
