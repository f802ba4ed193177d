import { expect } from "chai";
import type { ProgramSpec } from "../../../apps/launcher/processes/child.js";
import { readConfig } from "../../../apps/launcher/config.js";
import {
  describeAgent,
  describeMonitor,
  describeProxy,
  describeRedis,
  redisUrlOf,
  type Layout,
} from "../../../apps/launcher/processes/programs.js";
import {
  describeService,
  findMissingSecrets,
} from "../../../apps/launcher/processes/service.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { createServiceFile } from "../../support/programs/service-file.js";

function layout(env: Environment = {}): Layout {
  const service = createServiceFile();
  return {
    config: readConfig(env, service),
    service,
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

const COMMON = {
  ...{ REDIS_URL: "redis://127.0.0.1:4000", DRAIN_MS: "1000" },
  ...{ KEY_PREFIX: "shop:", FLAG_NAME: "feature" },
  ...{ SYSTEM_NAME: "shop", ENVIRONMENT: "dev", CLI_COMMAND: "npx serin" },
  ...{ STICKY: "off", ASSET_FALLBACK: "off" },
  ...{ CANARY_HEADER: "", CANARY_COOKIE: "" },
};

/** What prod of a service with this serin.yml runs. */
function describeProd(text?: string, env?: Environment): ProgramSpec {
  const service = createServiceFile(text);
  const source = { service, release: "1.0.0-1", label: "stable" };
  return describeService("prod", source, layout(env));
}

describe("launcher programs", () => {
  it("start the service by its command, with all that it is promised", () => {
    const text = "service: shop\nrun: node server.js";
    const spec = describeProd(text, { PATH: "/bin" });
    expect(spec).to.include({
      command: "/bin/sh",
      pidFile: "/run/pids/prod-app.pid",
      logFile: "/run/logs/prod-app.log",
    });
    expect(spec.args).to.deep.equal(["-c", "node server.js"]);
    expect(spec.env).to.deep.equal({
      PATH: `${spec.cwd!}/node_modules/.bin:/bin`,
      PORT: "3001",
      HOST: "127.0.0.1",
      SERIN_SIDE: "prod",
      SERIN_RELEASE: "1.0.0-1",
      SERIN_REDIS_URL: "redis://127.0.0.1:4000",
      KEY_PREFIX: "shop:",
      FLAG_NAME: "feature",
      OFREP_ENDPOINT: "http://127.0.0.1:3101",
    });
  });

  it("give the service its environment, which the shell overrides", () => {
    const text = `
service: shop
run: node server.js
env: {clear: {NODE_ENV: production, COLOUR: red}, secret: [TOKEN, KEY]}`;
    const { env } = describeProd(text, { COLOUR: "blue", TOKEN: "t" });
    expect(env).to.include({
      ...{ NODE_ENV: "production", COLOUR: "blue", TOKEN: "t" },
    });
    expect(findMissingSecrets(createServiceFile(text), env)).to.deep.equal([
      "KEY",
    ]);
  });

  it("point an agent at its app by the pid file", () =>
    expect(
      environmentOf(describeAgent("prod", layout(), undefined)),
    ).to.deep.equal({
      ...COMMON,
      PORT: "3101",
      TARGET: "prod",
      APP_URL: "http://127.0.0.1:3001",
      APP_PIDFILE: "/run/pids/prod-app.pid",
      APP_RELEASE_FILE: "/run/pids/prod-release.json",
      HEALTH_PATH: "none",
    }));

  it("have the agent of a service that the user runs look for its process", () => {
    const env = { PROD_URLS: "http://10.0.0.1:80", HEALTH_PATH: "/up" };
    const agent = describeAgent("prod", layout(env), "/healthz");
    expect(environmentOf(agent))
      .to.include({ APP_URL: "http://10.0.0.1", HEALTH_PATH: "/up" })
      .and.not.have.any.keys("APP_PIDFILE", "APP_RELEASE_FILE");
  });

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
      ALERT_GROUP_MS: "1000",
      VERDICT_WARM_UP: "10s",
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
    const env = { PORT: "80", APP_PID: "1", TARGET: "prod" };
    const agent = environmentOf(
      describeAgent("canary", layout(env), "/healthz"),
    );
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
