import { expect } from "chai";
import { readConfig } from "../../../apps/agent/config.js";
import { problemsIn } from "../../support/settings-problems.js";

const PROD = { TARGET: "prod", APP_PID: "123" };

const problemsOf = problemsIn(readConfig);

describe("agent config", () => {
  it("requires only a target", () =>
    expect(readConfig(PROD)).to.deep.equal({
      redisUrl: "redis://127.0.0.1:6379",
      keyPrefix: "serin:",
      flagName: "feature",
      logLevel: "info",
      host: "127.0.0.1",
      port: 3101,
      target: "prod",
      appUrl: new URL("http://127.0.0.1:3001"),
      healthPath: "/healthz",
      app: { kind: "pid", pid: 123 },
      releaseFile: undefined,
      sampleIntervalMs: 1000,
      flags: [],
    }));

  it("defaults to the canary's own ports", () => {
    const { port, appUrl } = readConfig({ ...PROD, TARGET: "canary" });
    expect(port).to.equal(3102);
    expect(appUrl.origin).to.equal("http://127.0.0.1:3002");
  });

  it("accepts a health path with a query, none at all, and none on another host", () => {
    const withPath = (HEALTH_PATH: string) => ({ ...PROD, HEALTH_PATH });
    expect(readConfig(withPath("/up?full=1")).healthPath).to.equal(
      "/up?full=1",
    );
    expect(readConfig(withPath("none")).healthPath).to.equal("none");
    for (const path of ["healthz", "//web2/healthz", "/\\web2", "/a b", "/#a"])
      expect(problemsOf(withPath(path)), path).to.deep.equal([
        `HEALTH_PATH is ${JSON.stringify(path)}: give a path that begins with /, such as /healthz, or none`,
      ]);
  });

  it("accepts a pidfile or a unit instead of a pid", () => {
    const pidfile = { TARGET: "prod", APP_PIDFILE: "/run/app.pid" };
    const unit = { TARGET: "prod", APP_UNIT: "app@2.service" };
    expect(readConfig(pidfile).app).to.deep.equal({
      kind: "pidfile",
      path: "/run/app.pid",
    });
    expect(readConfig(unit).app).to.deep.equal({
      kind: "unit",
      unit: "app@2.service",
    });
  });

  it("samples what listens at the app's URL when none of the three is set", () => {
    const env = { TARGET: "prod", APP_URL: "http://10.0.0.1:80" };
    const url = new URL("http://10.0.0.1:80");
    expect(readConfig(env).app).to.deep.equal({ kind: "listener", url });
  });

  it("rejects more than one of them, and validates each", () =>
    expect(
      problemsOf({ TARGET: "prod", APP_PID: "0", APP_UNIT: "app.service" }),
    ).to.deep.equal([
      'APP_PID is "0": give a whole number from 1 to 4194304',
      "2 of APP_PID, APP_PIDFILE and APP_UNIT are set: give one at most",
    ]));

  it("lists every invalid variable with its value and the valid ones", () =>
    expect(
      problemsOf({
        TARGET: "beta",
        APP_URL: "https://127.0.0.1:3001",
        APP_UNIT: "--user",
        SAMPLE_INTERVAL_MS: "99",
        PORT: "http",
      }),
    ).to.deep.equal([
      'TARGET is "beta": give one of prod, canary',
      'APP_URL is "https://127.0.0.1:3001": give http://host:port without a path',
      'PORT is "http": give a whole number from 0 to 65535',
      'APP_UNIT is "--user": give a systemd unit\'s name, such as app.service',
      'SAMPLE_INTERVAL_MS is "99": give a whole number from 100 to 86400000, in ms',
    ]));

  it("rejects a missing target", () =>
    expect(problemsOf({ APP_PID: "123" })).to.deep.equal([
      "TARGET is not set: give one of prod, canary",
    ]));
});
