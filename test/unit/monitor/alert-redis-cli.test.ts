import { expect } from "chai";
import { redisCliFor } from "../../../apps/monitor/alert/message/remedy.js";

describe("redisCliFor", () => {
  it("returns no options for a local Redis at the default port", () => {
    expect(redisCliFor("redis://127.0.0.1:6379")).to.equal("redis-cli");
    expect(redisCliFor("redis://localhost")).to.equal("redis-cli");
    expect(redisCliFor("redis://localhost/0")).to.equal("redis-cli");
  });

  it("names host, port, database and TLS unless they are the defaults", () => {
    expect(redisCliFor("rediss://10.0.0.5:6380/2")).to.equal(
      "redis-cli -h 10.0.0.5 -p 6380 -n 2 --tls",
    );
    expect(redisCliFor("redis://[::1]:7000")).to.equal(
      "redis-cli -h ::1 -p 7000",
    );
  });

  it("makes redis-cli ask for the password instead of showing it", () => {
    expect(redisCliFor("redis://ops:s3cret@redis.internal")).to.equal(
      "redis-cli -h redis.internal --user ops --askpass",
    );
    expect(redisCliFor("redis://:s3cret@127.0.0.1")).to.equal(
      "redis-cli --askpass",
    );
  });
});
