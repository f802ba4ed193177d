import { expect } from "chai";
import { readConfig } from "../../../apps/app/config.js";
import { releaseVersion } from "../../../lib/program/release.js";
import { problemsIn } from "../../support/settings-problems.js";

const problemsOf = problemsIn(readConfig);

describe("app config", () => {
  it("requires only a role", () =>
    expect(readConfig({ ROLE: "prod" })).to.deep.equal({
      redisUrl: "redis://127.0.0.1:6379",
      keyPrefix: "serin:",
      flagName: "feature",
      logLevel: "info",
      host: "127.0.0.1",
      port: 3001,
      role: "prod",
      version: releaseVersion(),
      slowMs: 1000,
      faults: { baseLatencyMs: 0, slowdown: 1, errorRatio: 0 },
      kvTtlS: 10,
      drainMs: 10_000,
    }));

  it("gives the canary another default port", () =>
    expect(readConfig({ ROLE: "canary" }).port).to.equal(3002));

  it("reads all settings", () =>
    expect(
      readConfig({
        ROLE: "canary",
        PORT: "4000",
        VERSION: "1.4.0-rc.1+g1234abc",
        SLOW_MS: "0",
        KV_TTL_S: "60",
        DRAIN_MS: "0",
      }),
    ).to.include({
      port: 4000,
      version: "1.4.0-rc.1+g1234abc",
      slowMs: 0,
      kvTtlS: 60,
      drainMs: 0,
    }));

  it("rejects a missing role", () =>
    expect(problemsOf({})).to.deep.equal([
      "ROLE is not set: give one of prod, canary",
    ]));

  it("lists every invalid variable with its value and the valid ones", () =>
    expect(
      problemsOf({
        ROLE: "beta",
        PORT: "65536",
        VERSION: "one two",
        SLOW_MS: "30001",
        KV_TTL_S: "0",
        DRAIN_MS: "-1",
      }),
    ).to.deep.equal([
      'ROLE is "beta": give one of prod, canary',
      'PORT is "65536": give a whole number from 0 to 65535',
      'VERSION is "one two": give 1 to 64 of A-Z a-z 0-9 . _ + -',
      'SLOW_MS is "30001": give a whole number from 0 to 30000, in ms',
      'KV_TTL_S is "0": give a whole number from 1 to 86400',
      'DRAIN_MS is "-1": give a whole number from 0 to 50000, in ms',
    ]));
});
