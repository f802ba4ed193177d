import { expect } from "chai";
import { createKeys } from "../../../lib/redis/keys.js";

describe("keys", () => {
  it("have the documented names", () => {
    const keys = createKeys("serin:");
    expect(keys.flag("feature")).to.equal("serin:flag:feature");
    expect(keys.flagInfo("feature")).to.equal("serin:flag:feature:info");
    expect(keys.lease).to.equal("serin:lease");
    expect(keys.telemetry).to.equal("serin:telemetry");
    expect(keys.events).to.equal("serin:events");
    expect(keys.outbox).to.equal("serin:outbox");
    expect(keys.kv("a")).to.equal("serin:kv:a");
  });

  it("are all different and all start with the prefix", () => {
    const { prefix, flag, flagWeight, flagInfo, rollout, ...more } =
      createKeys("team-b:");
    const { recovery, verdict, ...others } = more;
    const { usedLink, kv, ...fixed } = others;
    const all = [
      ...[flag, flagWeight, flagInfo, rollout].map((key) => key("x")),
      ...[recovery, verdict].map((key) => key("x")),
      ...[usedLink, kv].map((key) => key("x")),
      ...Object.values(fixed),
    ];
    expect(new Set(all).size).to.equal(all.length);
    for (const key of all) expect(key.startsWith(prefix)).to.be.true;
  });
});
