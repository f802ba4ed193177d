import { expect } from "chai";
import { runCli } from "../../support/programs/cli.js";
import {
  startHostRedis,
  type HostRedis,
} from "../../support/redis/host-redis.js";
import { startHeardFleet } from "../../support/monitor/fleet.js";
import { waitFor } from "../../support/wait-for.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

interface Finding {
  check: string;
  level: string;
  says: string;
}

describe("serin with the rights of a user of the role redis", () => {
  let host: HostRedis;
  let test: TestRedis;

  beforeEach(async () => {
    host = await startHostRedis();
    test = host.admin;
  });

  const signIn = (program: string) => ({ REDIS_URL: host.urlOf(program) });

  for (const name of ["operator", "monitor"])
    it(`runs every command as ${name}`, async () => {
      const env = signIn(name);
      await startHeardFleet(test);
      for (const args of [
        ["flag", "off", "--reason", "a test"],
        ["flag", "on"],
        ["flag", "toggle"],
        ["flag", "get"],
        ["events"],
        ["why"],
      ]) {
        const { status, stderr } = await runCli(test.keys, args, env);
        expect(stderr, args.join(" ")).to.equal("");
        expect(status, args.join(" ")).to.equal(0);
      }
      expect(await test.events()).to.have.length(3);
      expect(await test.outbox()).to.have.length(3);
      const { stdout } = await runCli(test.keys, ["status"], env);
      expect(stdout).to.include("From Redis only:");
      const found = await runCli(test.keys, ["doctor", "--json"], env);
      const findings = JSON.parse(found.stdout) as Finding[];
      const about = (check: string) =>
        findings.find((finding) => finding.check === check)?.level;
      expect(about("reading")).to.equal("ok");
      expect(about("flipping")).to.equal("ok");
      expect(about("clock")).to.equal("ok");
      expect(about("mails")).to.equal("ok");
      expect(findings.map(({ level }) => level)).not.to.include("refused");
    });

  it("denies the operator all other writes: lease, outbox, ledger, other keys", async () => {
    const { REDIS_URL } = signIn("operator");
    const { redis } = openTestRedis({ url: REDIS_URL });
    const { keys } = test;
    for (const command of [
      ["SET", keys.lease, "mine"],
      ["DEL", keys.outbox],
      ["XDEL", keys.events, "1-0"],
      ["XTRIM", keys.events, "MAXLEN", "0"],
      ["SET", keys.kv("x"), "y"],
      ["CONFIG", "GET", "*"],
      ["FLUSHALL"],
    ]) {
      const refused = await redis
        .call(...(command as [string, ...string[]]))
        .then(() => "allowed")
        .catch((err: unknown) => String(err));
      expect(refused, command.join(" ")).to.include("NOPERM");
    }
  });

  it("says that a script does not end, and how to end it", async () => {
    const { redis } = openTestRedis({ url: host.urlOf("operator") });
    await redis.get(test.keys.flag("feature"));
    const endless = test.redis
      .eval("while true do end", 0)
      .catch(() => undefined);
    await waitFor("the end of Redis's patience", async () =>
      redis.ping().then(
        () => false,
        (err: unknown) => String(err).includes("BUSY"),
      ),
    );
    const { stdout, status } = await runCli(
      test.keys,
      ["doctor", "--json"],
      signIn("operator"),
    );
    await redis.call("SCRIPT", "KILL");
    await endless;
    expect(status).to.equal(3);
    const refused = (JSON.parse(stdout) as Finding[]).find(
      ({ level }) => level === "refused",
    );
    expect(refused?.says).to.match(/ refuses: BUSY /);
    expect(refused).to.have.property("todo").that.includes("SCRIPT KILL");
  });

  it("is refused as the app, and doctor reports the missing right", async () => {
    const env = signIn("app");
    const { status, stderr } = await runCli(test.keys, ["flag", "off"], env);
    expect(status).to.equal(4);
    expect(stderr).to.match(/^serin: Redis at \S+ refuses: NOPERM .*\n$/);
    expect(await test.redis.exists(test.keys.flag("feature"))).to.equal(0);
    const found = await runCli(test.keys, ["doctor", "--json"], {
      ...env,
      MONITOR_URL: undefined,
    });
    const findings = JSON.parse(found.stdout) as Finding[];
    expect(
      findings.filter(({ level }) => level === "problem"),
    ).to.deep.include.members([
      {
        check: "flipping",
        level: "problem",
        says: "this user may not flip the flag",
        todo: "set REDIS_URL to a user with this right: serin-operator of the playbooks, or the monitor's user",
      },
    ]);
  });
});
