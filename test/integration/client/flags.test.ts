import { expect } from "chai";
import { createFlags, type Flags } from "../../../lib/client/client.js";
import type { FlagsOptions } from "../../../lib/client/flags.js";
import { Ledger } from "../../../lib/flag/ledger.js";
import { onCleanup } from "../../support/cleanup.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { waitFor } from "../../support/wait-for.js";

/** Flags that collect their warnings. */
async function open(
  options: FlagsOptions,
): Promise<{ flags: Flags; warnings: string[] }> {
  const warnings: string[] = [];
  const onWarning = (line: string) => warnings.push(line);
  const flags = await createFlags({ onWarning, ...options });
  onCleanup(() => flags.close());
  return { flags, warnings };
}

describe("serin/client", () => {
  let test: TestRedis;
  let options: FlagsOptions;
  const set = (name: string, value: string) =>
    test.redis.set(test.keys.flag(name), value);

  beforeEach(() => {
    test = openTestRedis();
    options = { redisUrl: redisUrl(), keyPrefix: test.keys.prefix };
  });

  it("knows the flags when it resolves", async () => {
    await set("feature", "true");
    await set("new-checkout", "true");
    const { flags } = await open({ ...options, flags: ["new-checkout"] });
    expect(flags.isOn("feature", false)).to.equal(true);
    expect(flags.isOn("new-checkout", false)).to.equal(true);
    expect(flags.ageMs).to.be.within(0, 5000);
    expect(flags.whyUnknown).to.equal(null);
  });

  it("returns the fallback for a flag that nobody has set, except for the canary's", async () => {
    const { flags } = await open({ ...options, flags: ["new-checkout"] });
    expect(flags.isOn("new-checkout", true)).to.equal(true);
    expect(flags.isOn("new-checkout")).to.equal(false);
    expect(flags.detailsOf("new-checkout")).to.equal(undefined);
    expect(flags.isOn("feature", false)).to.equal(true);
  });

  it("counts a malformed value as off and warns", async () => {
    await set("new-checkout", "yes");
    const { flags, warnings } = await open({
      ...options,
      flags: ["new-checkout"],
    });
    expect(flags.isOn("new-checkout", true)).to.equal(false);
    expect(warnings).to.deep.equal([
      'serin: flag counts as false: it is neither "true" nor "false": new-checkout',
    ]);
  });

  it("turns every further flag off while the canary is stopped", async () => {
    await set("a", "true");
    const { flags } = await open({ ...options, flags: ["a", "unset"] });
    const changes: string[][] = [];
    flags.onChange((names) => changes.push(names.sort()));
    const ledger = new Ledger(test.redis, test.keys);
    const flip = { by: "monitor", reason: "p95", data: {} } as const;
    await ledger.flip("feature", { ...flip, value: false });
    await waitFor("the stop", () => !flags.isOn("a", true));
    expect(flags.isOn("unset", true)).to.equal(false);
    expect(flags.detailsOf("a")).to.include({
      value: false,
      reason: "DISABLED",
      by: "monitor",
    });
    await ledger.flip("feature", { ...flip, value: true });
    await waitFor("the resumption", () => flags.isOn("a"));
    expect(flags.detailsOf("a")).to.include({ reason: "STATIC", by: null });
    expect(changes).to.deep.equal([
      ["a", "feature", "unset"],
      ["a", "feature", "unset"],
    ]);
  });

  it("reads a flag from when it is first asked for", async () => {
    await set("later", "true");
    const { flags } = await open(options);
    expect(flags.isOn("later", false)).to.equal(false);
    await waitFor("the flag", () => flags.isOn("later", false));
    await flags.watch(["later", "another"]);
    await set("another", "true");
    await waitFor("the other", () => flags.isOn("another", false));
  });

  it("returns the fallback for names that no flag can have, and reads at most 100 flags", async () => {
    const { flags } = await open(options);
    for (const name of ["", "a b", "feature:info", "x".repeat(65)])
      expect(flags.isOn(name, true)).to.equal(true);
    const names = Array.from({ length: 150 }, (_, i) => `flag-${i}`);
    await Promise.all(names.map((name) => set(name, "true")));
    await flags.watch(names);
    expect(names.filter((name) => flags.isOn(name))).to.have.length(99);
  });

  it("keeps the value of a flag that Redis has lost", async () => {
    await set("a", "true");
    const { flags, warnings } = await open({ ...options, flags: ["a"] });
    await test.redis.del(test.keys.flag("a"));
    await waitFor("the loss", () => warnings.length > 0);
    expect(flags.isOn("a", false)).to.equal(true);
  });

  it("starts without Redis, warns once, and knows the flags when Redis is there", async () => {
    const port = await findServicePort();
    const url = `redis://127.0.0.1:${port}`;
    const { flags, warnings } = await open({
      ...options,
      redisUrl: url,
      timeoutMs: 10,
    });
    expect(flags.isOn("feature", false)).to.equal(false);
    expect(flags.isOn("feature", true)).to.equal(true);
    expect(flags.whyUnknown).to.equal("Redis has not answered yet");
    expect(flags.ageMs).to.equal(null);
    const server = await startPrivateRedis({ port });
    onCleanup(server.stop);
    await waitFor("the flag", () => flags.isOn("feature", false));
    await server.stop();
    await waitFor("its age", () => flags.ageMs! > 500);
    expect(flags.isOn("feature", false)).to.equal(true);
    expect(warnings[0]).to.equal(
      `serin: Redis is away: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    // Either connection may find out first, and in its own way.
    const lost = warnings.slice(1);
    expect(lost.length).to.be.within(1, 2);
    for (const line of lost)
      expect(line).to.match(/^serin: Redis (connection lost|is away: )/);
  });

  it("says why Redis refuses, without the password", async () => {
    const { hostname, port } = new URL(redisUrl());
    const redisUrlOfNobody = `redis://nobody:s3cret@${hostname}:${port}`;
    const { flags, warnings } = await open({
      ...options,
      redisUrl: redisUrlOfNobody,
      timeoutMs: 10,
    });
    await waitFor("the refusal", () => flags.whyUnknown?.includes("WRONGPASS"));
    expect(warnings.join()).to.include("WRONGPASS");
    expect(warnings.join()).not.to.include("s3cret");
  });

  it("rejects malformed settings, without the password", async () => {
    const err = await createFlags({
      redisUrl: "http://u:s3cret@host",
      flagName: "a b",
    }).catch((err: unknown) => err);
    expect(String(err)).to.match(/SERIN_REDIS_URL is malformed .*FLAG_NAME/s);
    expect(String(err)).not.to.include("s3cret");
  });
});
