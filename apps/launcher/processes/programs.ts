import { join } from "node:path";
import type { ServiceFile } from "../../../lib/service-file.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { originOf } from "../addresses.js";
import type { LauncherConfig, PortName } from "../config.js";
import type { ProgramSpec } from "./child.js";
import { fetchText } from "./http-probe.js";
import { answersPing, redisServerArgs } from "./redis-server.js";
import type { Workspace } from "./workspace.js";

/** The ports and folders of one run. */
export interface Layout {
  config: LauncherConfig;
  /** As the user's serin.yml describes it. */
  service: ServiceFile;
  ports: Readonly<Record<PortName, number>>;
  workspace: Workspace;
  /** Contains a folder with a main.js for each program. */
  programsDirectory: string;
}

/** How long a stopping program waits for its last requests. */
const DRAIN_MS = 1000;

/** Have the monitor send its mails to the mailbox. */
export const MAILBOX_SETTINGS = {
  ALERT_TRANSPORT: "smtp",
  ALERT_FROM: "serin@serin.test",
  ALERT_TO: "team@serin.test",
};

export function redisUrlOf({ config, ports }: Layout): string {
  return config.redisUrl ?? `redis://127.0.0.1:${ports.redis}`;
}

/** Where a side's service is reached. */
export function appOriginOf(side: Side, { config, ports }: Layout): string {
  const [url] = config.urls[side] ?? [];
  return url?.origin ?? originOf(config.host, ports[`${side}App`]);
}

export function describeRedis(layout: Layout): ProgramSpec {
  const { config, ports, workspace } = layout;
  return {
    name: "Redis",
    command: "redis-server",
    args: redisServerArgs({ port: ports.redis, directory: workspace.redis }),
    env: config.env,
    logFile: join(workspace.logs, "redis.log"),
    isReady: () => answersPing(ports.redis),
  };
}

/** @param healthPath undefined for a TCP check */
export function describeAgent(
  side: Side,
  layout: Layout,
  healthPath: string | undefined,
): ProgramSpec {
  const { config, ports, workspace } = layout;
  const port = ports[`${side}Agent`];
  const isOurs = config.urls[side] === undefined;
  return describe(layout, {
    name: `${side} agent`,
    folder: "agent",
    settings: {
      PORT: String(port),
      TARGET: side,
      APP_URL: appOriginOf(side, layout),
      // Of a service that the user runs, the agent looks for the process that listens.
      APP_PIDFILE: isOurs ? pidFileOf(side, workspace) : undefined,
      APP_RELEASE_FILE: isOurs ? releaseFileOf(side, workspace) : undefined,
      // An agent accepts only one of the three, and the user's environment may set another.
      APP_PID: undefined,
      APP_UNIT: undefined,
    },
    defaults: { HEALTH_PATH: healthPath ?? "none" },
    readyUrl: `${originOf(config.host, port)}/healthz`,
  });
}

export function describeProxy(layout: Layout): ProgramSpec {
  const { config, ports } = layout;
  return describe(layout, {
    name: "proxy",
    folder: "proxy",
    settings: { PORT: String(ports.proxy), ADMIN_PORT: String(ports.admin) },
    defaults: {
      PROD_URLS: appOriginOf("prod", layout),
      CANARY_URLS: appOriginOf("canary", layout),
      CANARY_LEASE: "required",
    },
    readyUrl: `${originOf(config.adminHost, ports.admin)}/readyz`,
  });
}

export function describeMonitor(layout: Layout): ProgramSpec {
  const { config, ports } = layout;
  return describe(layout, {
    name: "monitor",
    folder: "monitor",
    settings: { PORT: String(ports.monitor) },
    defaults: {
      ...MAILBOX_SETTINGS,
      // Who tries it out does not wait for a minute.
      VERDICT_WARM_UP: "10s",
      SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
      // Two apps make no flood of alerts, and a person waits for the mail.
      ALERT_GROUP_MS: "1000",
    },
    readyUrl: `${originOf(config.host, ports.monitor)}/readyz`,
  });
}

function describe(
  layout: Layout,
  program: {
    name: string;
    folder: string;
    settings: Record<string, string | undefined>;
    /** Used unless the user's environment sets them. */
    defaults?: Record<string, string>;
    readyUrl: string;
  },
): ProgramSpec {
  const { name, folder, settings, defaults, readyUrl } = program;
  const main = join(layout.programsDirectory, folder, "main.js");
  return {
    name,
    command: process.execPath,
    args: ["--enable-source-maps", main],
    env: {
      ...defaults,
      DRAIN_MS: String(DRAIN_MS),
      ...layout.config.settings,
      REDIS_URL: redisUrlOf(layout),
      ...settings,
    },
    logFile: logFileOf(name, layout.workspace),
    isReady: async () => (await fetchText(readyUrl)) !== undefined,
  };
}

export function logFileOf(name: string, { logs }: Workspace): string {
  return join(logs, `${name.replaceAll(" ", "-")}.log`);
}

export function pidFileOf(side: Side, { pids }: Workspace): string {
  return join(pids, `${side}-app.pid`);
}

/** The agent reads the side's release from it. */
export function releaseFileOf(side: Side, { pids }: Workspace): string {
  return join(pids, `${side}-release.json`);
}
