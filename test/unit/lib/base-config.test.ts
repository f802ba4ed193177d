import { expect } from "chai";
import { BASE_SETTINGS } from "../../../lib/settings/base-config.js";
import {
  readSettings,
  type Environment,
} from "../../../lib/settings/settings.js";

const read = (env: Environment) => readSettings(env, BASE_SETTINGS);

describe("base config", () => {
  it("has a default for every variable but PORT", () => {
    expect(read({})).to.deep.equal({
      redisUrl: "redis://127.0.0.1:6379",
      keyPrefix: "serin:",
      flagName: "feature",
      logLevel: "info",
      host: "127.0.0.1",
      port: undefined,
    });
  });

  for (const [name, value] of [
    ["REDIS_URL", "redis://example.com"],
    ["REDIS_URL", "redis://:p%40ss@10.0.0.1:6380/15"],
    ["REDIS_URL", "rediss://user:pw@redis.example.com:6380/"],
    ["REDIS_URL", "redis://[::1]:6379/0"],
    ["KEY_PREFIX", "team-a.serin_1:"],
    ["FLAG_NAME", "new-checkout.v2"],
    ["LOG_LEVEL", "silent"],
    ["HOST", "0.0.0.0"],
    ["HOST", "::1"],
    ["HOST", "localhost"],
    ["HOST", "edge1.example.com"],
    ["PORT", "0"],
    ["PORT", "65535"],
  ] as const) {
    it(`accepts ${name}=${value}`, () => {
      expect(Object.values(read({ [name]: value })).map(String)).to.include(
        value,
      );
    });
  }

  for (const [name, value] of [
    ["REDIS_URL", "127.0.0.1:6379"],
    ["REDIS_URL", "http://127.0.0.1:6379"],
    ["REDIS_URL", "redis://"],
    ["REDIS_URL", "redis://host:99999"],
    ["REDIS_URL", "redis://host/main"],
    ["REDIS_URL", "redis://host/1/2"],
    ["REDIS_URL", "redis://host/-1"],
    ["REDIS_URL", "redis://:100%@host"],
    ["REDIS_URL", "redis://%FF:pw@host"],
    ["REDIS_URL", "redis://host?protocol=3"],
    ["REDIS_URL", "redis://host/0#1"],
    ["KEY_PREFIX", "with blank:"],
    ["KEY_PREFIX", "serin{1}:"],
    ["KEY_PREFIX", "x".repeat(65)],
    ["FLAG_NAME", "a/b"],
    ["FLAG_NAME", "a:info"],
    ["FLAG_NAME", "feature\n"],
    ["LOG_LEVEL", "verbose"],
    ["HOST", "not a host"],
    ["HOST", "http://127.0.0.1"],
    ["HOST", "-edge.example.com"],
    ["PORT", "65536"],
    ["PORT", "http"],
  ] as const) {
    it(`rejects ${name}=${JSON.stringify(value)} by name`, () => {
      expect(() => read({ [name]: value })).to.throw(`- ${name} is `);
    });
  }

  it("never repeats REDIS_URL, which may contain a password", () => {
    expect(() => read({ REDIS_URL: "redis//:hunter2@host" }))
      .to.throw("REDIS_URL is malformed (value not shown)")
      .with.property("message")
      .not.include("hunter2");
  });
});
