import { expect } from "chai";
import { judgeSkew } from "../../../apps/cli/commands/doctor/clock.js";
import {
  judgeMemory,
  judgePersistence,
  judgeRole,
  judgeVersion,
  parseInfo,
} from "../../../apps/cli/commands/doctor/redis-server.js";

describe("checks of serin doctor", () => {
  it("parse INFO", () => {
    expect(parseInfo("# Server\r\nredis_version:7.0.15\r\n")).to.deep.equal({
      redis_version: "7.0.15",
    });
  });

  it("accept Redis 6.2 and later", () => {
    const level = (redis_version?: string) =>
      judgeVersion({ redis_version }).level;
    expect(["6.2.0", "7.0.15", "10.1"].map(level)).to.deep.equal([
      ...["ok", "ok", "ok"],
    ]);
    expect(["6.0.16", "5.9", undefined].map(level)).to.deep.equal([
      ...["problem", "problem", "problem"],
    ]);
  });

  it("report that keys may be evicted", () => {
    const judge = (maxmemory: string, maxmemory_policy: string) =>
      judgeMemory({ maxmemory, maxmemory_policy }).level;
    expect(judge("0", "allkeys-lru")).to.equal("ok");
    expect(judge("1000", "noeviction")).to.equal("ok");
    expect(judge("1000", "allkeys-lru")).to.equal("problem");
  });

  it("report a full Redis and a replica, which refuse writes", () => {
    const full = { maxmemory: "1000", maxmemory_policy: "noeviction" };
    expect(judgeMemory({ ...full, used_memory: "999" }).level).to.equal("ok");
    expect(judgeMemory({ ...full, used_memory: "1000" }).says).to.equal(
      "full: Redis uses 1000 of 1000 bytes and refuses writes",
    );
    expect(judgeRole({ role: "master" })).to.be.empty;
    const [replica] = judgeRole({ role: "slave", master_host: "redis1" });
    expect(replica?.says).to.equal(
      "this Redis is a replica of redis1 and refuses writes",
    );
  });

  it("require a writable append-only file", () => {
    const aof = (aof_last_write_status: string) =>
      judgePersistence({ aof_enabled: "1", aof_last_write_status }).level;
    expect(aof("ok")).to.equal("ok");
    expect(aof("err")).to.equal("problem");
    expect(
      judgePersistence({ aof_enabled: "1", rdb_last_bgsave_status: "err" })
        .says,
    ).to.include("refuses writes");
    const rdb = (rdb_last_bgsave_status: string) =>
      judgePersistence({ aof_enabled: "0", rdb_last_bgsave_status }).level;
    expect(rdb("ok")).to.equal("note");
    expect(rdb("err")).to.equal("problem");
    expect(judgePersistence({ aof_enabled: "0" }, true).level).to.equal("ok");
  });

  it("report a clock that differs by more than two seconds", () => {
    expect(judgeSkew("web1", 1900).level).to.equal("ok");
    expect(judgeSkew("web1", 2100)).to.deep.include({
      level: "problem",
      says: "web1 is 2.1 s ahead of Redis",
    });
    expect(judgeSkew("web1", -60_000).says).to.equal(
      "web1 is 60.0 s behind Redis",
    );
  });
});
