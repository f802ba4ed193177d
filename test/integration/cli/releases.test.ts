import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { runCli } from "../../support/programs/cli.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const FIRST = "0.1.9-20261123000747-1111111111";
const SECOND = "0.2.0-20261124000747-2222222222";

describe("serin releases", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  async function deploy(
    release: string,
    [side, host]: [string, string],
    data: Record<string, unknown> = {},
  ) {
    await test.ledger.record({
      ...{ kind: "deploy", by: "deploy", reason: `${host} runs ${release}` },
      data: {
        ...{ service: "shop", release, side, host, what: "service" },
        ...{ how: "deploy", failed: false, ...data },
      },
    });
  }

  const lines = async () => {
    const { stdout, stderr, status } = await runCli(test.keys, ["releases"]);
    expect([stderr, status]).to.deep.equal(["", 0]);
    return stdout
      .replaceAll(/\d\d:\d\d:\d\d UTC/g, "TIME")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
  };

  it("says that there is none", async () => {
    // A new comparison that somebody asked for is no release.
    await test.ledger.record({
      ...{ kind: "deploy", by: "operator", reason: "again" },
      data: { release: true },
    });
    expect(await lines()).to.deep.equal([
      ["no release is in the ledger: serin release makes one"],
    ]);
  });

  it("shows what was deployed where, by whom, and what became of it", async () => {
    await deploy("0.9.0", ["edge", "edge1"], { what: "programs" });
    await deploy(FIRST, ["canary", "web3"], { author: "Ann" });
    await deploy(FIRST, ["prod", "web1"], { author: "Ann" });
    await deploy(FIRST, ["prod", "web2"], { author: "Ann" });
    await deploy(SECOND, ["canary", "web3"], { commit: "abc", author: "Bob" });
    await test.ledger.flip("feature", {
      value: false,
      by: "monitor",
      reason: "canary p95 717 ms > 500 ms over 10 s",
      data: { version: SECOND, brief: "p95 717 ms > 500 ms" },
    });
    await deploy(FIRST, ["canary", "web3"], { how: "rollback" });
    const writtenAt = Date.now();
    await waitFor("a later ms", () => Date.now() > writtenAt + 20);
    await deploy(SECOND, ["canary", "web3"], { failed: true });
    expect(await lines()).to.deep.equal([
      ["when", "release", "commit", "by", "hosts", "outcome"],
      ["TIME", "0.2.0-2222222", "2222222222", "failed to start on web3"],
      [
        ...["TIME", "0.1.9-1111111", "1111111111", "canary 1"],
        "runs on the canary, a roll-back",
      ],
      [
        ...["TIME", "0.2.0-2222222", "abc", "Bob", "canary 1"],
        "stopped TIME: p95 717 ms > 500 ms",
      ],
      [
        ...["TIME", "0.1.9-1111111", "1111111111", "Ann"],
        ...["canary 1, prod 2", "runs on prod"],
      ],
      ["TIME", "Serin 0.9.0", "edge 1", "runs"],
    ]);
  });

  it("takes any name of a side", async () => {
    for (const side of ["constructor", "__proto__"])
      await deploy(FIRST, [side, "web1"]);
    expect((await lines())[1]).to.include("constructor 1, __proto__ 1");
  });

  it("prints JSON for programs, as many as wanted", async () => {
    await deploy(FIRST, ["prod", "web1"]);
    await deploy(SECOND, ["prod", "web1"]);
    const args = ["releases", "--json", "--limit", "1"];
    const { stdout } = await runCli(test.keys, args);
    const [only, ...rest] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(rest).to.deep.equal([]);
    expect(only).to.deep.include({
      release: SECOND,
      hosts: { prod: ["web1"] },
      runsOn: [{ host: "web1", side: "prod" }],
      stop: null,
    });
  });
});

describe("serin open", () => {
  it("prints the dashboard's address and opens it in the browser", async () => {
    const folder = createTempDirectory();
    const opener = join(folder, "xdg-open");
    writeFileSync(opener, `#!/bin/sh\necho "$1" >${folder}/opened\n`);
    chmodSync(opener, 0o755);
    const { keys } = openTestRedis();
    const MONITOR_URL = "http://127.0.0.1:9";
    const PATH = `${folder}:${process.env.PATH ?? ""}`;
    const open = (env: Record<string, string>) =>
      runCli(keys, ["open"], { MONITOR_URL, PATH, ...env });
    expect(await open({})).to.deep.equal({
      ...{ status: 0, stderr: "", stdout: "http://127.0.0.1:9/\n" },
    });
    const opened = () => readFileSync(join(folder, "opened"), "utf8");
    await waitFor("the browser", () => {
      try {
        return opened() === "http://127.0.0.1:9/\n";
      } catch {
        return false;
      }
    });
    const DASHBOARD_URL = "https://serin.example.com";
    const { stdout } = await open({ DASHBOARD_URL, PATH: "/nowhere" });
    expect(stdout).to.equal("https://serin.example.com\n");
  });
});
