import { expect } from "chai";
import { redisCliFor } from "../../../apps/monitor/alert/message/redis-cli.js";

describe("redisCliFor", () => {
  it("needs no options for a Redis on this machine at its usual port", () => {
    expect(redisCliFor("redis://127.0.0.1:6379")).to.equal("redis-cli");
    expect(redisCliFor("redis://localhost")).to.equal("redis-cli");
    expect(redisCliFor("redis://localhost/0")).to.equal("redis-cli");
  });

  it("names host, port, database and TLS where they are not the usual ones", () => {
    expect(redisCliFor("rediss://10.0.0.5:6380/2")).to.equal(
      "redis-cli -h 10.0.0.5 -p 6380 -n 2 --tls",
    );
    expect(redisCliFor("redis://[::1]:7000")).to.equal(
      "redis-cli -h ::1 -p 7000",
    );
  });

  it("has the password asked for instead of telling it", () => {
    expect(redisCliFor("redis://ops:s3cret@redis.internal")).to.equal(
      "redis-cli -h redis.internal --user ops --askpass",
    );
    expect(redisCliFor("redis://:s3cret@127.0.0.1")).to.equal(
      "redis-cli --askpass",
    );
  });
});
