import { expect } from "chai";
import type { ProgramSpec } from "../../../apps/launcher/processes/child.js";
import { readConfig } from "../../../apps/launcher/config.js";
import {
  describeAgent,
  describeApp,
  describeMonitor,
  describeProxy,
  describeRedis,
  redisUrlOf,
  type Layout,
} from "../../../apps/launcher/processes/programs.js";
import type { Environment } from "../../../lib/settings/settings.js";

function layout(env: Environment = {}): Layout {
  return {
    config: readConfig(env),
    ports: {
      proxy: 8080,
      admin: 8081,
      monitor: 8090,
      prodApp: 3001,
      canaryApp: 3002,
      prodAgent: 3101,
      canaryAgent: 3102,
      redis: 4000,
      smtp: 4001,
    },
    workspace: {
      directory: "/run",
      mails: "/run/mails",
      logs: "/run/logs",
      pids: "/run/pids",
      redis: "/run/redis",
    },
    programsDirectory: "/dist/apps",
  };
}

/** Only the variables that are set. */
function environmentOf({ env }: ProgramSpec): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined),
  );
}

const COMMON = { REDIS_URL: "redis://127.0.0.1:4000", DRAIN_MS: "1000" };

describe("launcher programs", () => {
  it("pass an app its role and port", () => {
    const app = describeApp("canary", layout());
    expect(environmentOf(app)).to.deep.equal({
      ...COMMON,
      ROLE: "canary",
      PORT: "3002",
    });
    expect(app.args.at(-1)).to.equal("/dist/apps/app/main.js");
    expect(app.pidFile).to.equal("/run/pids/canary-app.pid");
    expect(app.logFile).to.equal("/run/logs/canary-app.log");
  });

  it("point an agent at its app by the pid file", () =>
    expect(environmentOf(describeAgent("prod", layout()))).to.deep.equal({
      ...COMMON,
      PORT: "3101",
      TARGET: "prod",
      APP_URL: "http://127.0.0.1:3001",
      APP_PIDFILE: "/run/pids/prod-app.pid",
    }));

  it("make the proxy require the lease", () =>
    expect(environmentOf(describeProxy(layout()))).to.deep.equal({
      ...COMMON,
      PORT: "8080",
      ADMIN_PORT: "8081",
      PROD_URLS: "http://127.0.0.1:3001",
      CANARY_URLS: "http://127.0.0.1:3002",
      CANARY_LEASE: "required",
    }));

  it("make the monitor send mail to the mailbox", () =>
    expect(environmentOf(describeMonitor(layout()))).to.deep.equal({
      ...COMMON,
      PORT: "8090",
      ALERT_TRANSPORT: "smtp",
      ALERT_FROM: "serin@serin.test",
      ALERT_TO: "team@serin.test",
      SMTP_URL: "smtp://127.0.0.1:4001",
    }));

  it("keep a private Redis on loopback and off the disk", () =>
    expect(describeRedis(layout()).args.join(" ")).to.equal(
      "--port 4000 --bind 127.0.0.1 --save  --appendonly no --dir /run/redis",
    ));

  it("use REDIS_URL unchanged", () =>
    expect(redisUrlOf(layout({ REDIS_URL: "rediss://cache" }))).to.equal(
      "rediss://cache",
    ));

  it("pass on the user's settings", () => {
    const env = {
      LATENCY_THRESHOLD_MS: "200",
      CANARY_LEASE: "optional",
      SMTP_URL: "smtp://mail:25",
      DRAIN_MS: "50",
    };
    expect(describeMonitor(layout(env)).env).to.include({
      LATENCY_THRESHOLD_MS: "200",
      SMTP_URL: "smtp://mail:25",
      DRAIN_MS: "50",
    });
    expect(describeProxy(layout(env)).env.CANARY_LEASE).to.equal("optional");
  });

  it("override user settings that would mislead a program", () => {
    const env = { PORT: "80", ROLE: "prod", APP_PID: "1", TARGET: "prod" };
    expect(describeApp("canary", layout(env)).env).to.include({
      PORT: "3002",
      ROLE: "canary",
    });
    const agent = environmentOf(describeAgent("canary", layout(env)));
    expect(agent).to.include({ TARGET: "canary" }).and.not.have.key("APP_PID");
  });

  it("treat an empty setting as unset", () =>
    expect(
      describeProxy(layout({ CANARY_LEASE: "", DRAIN_MS: "" })).env,
    ).to.include({ CANARY_LEASE: "required", DRAIN_MS: "1000" }));

  it("use loopback for programs that listen on all addresses", () =>
    expect(describeProxy(layout({ HOST: "::" })).env.PROD_URLS).to.equal(
      "http://[::1]:3001",
    ));
});
