import { join } from "node:path";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { originOf } from "../addresses.js";
import type { ProgramSpec } from "./child.js";
import type { LauncherConfig, PortName } from "../config.js";
import { fetchText } from "./http-probe.js";
import { answersPing, redisServerArgs } from "./redis-server.js";
import type { Workspace } from "./workspace.js";

/** The ports and folders of one run. */
export interface Layout {
  config: LauncherConfig;
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

export function describeApp(side: Side, layout: Layout): ProgramSpec {
  const port = layout.ports[`${side}App`];
  return {
    ...describe(layout, {
      name: `${side} app`,
      folder: "app",
      settings: { PORT: String(port), ROLE: side },
      readyUrl: `${originOf(layout.config.host, port)}/healthz`,
    }),
    pidFile: pidFileOf(side, layout),
  };
}

export function describeAgent(side: Side, layout: Layout): ProgramSpec {
  const { config, ports } = layout;
  const port = ports[`${side}Agent`];
  return describe(layout, {
    name: `${side} agent`,
    folder: "agent",
    settings: {
      PORT: String(port),
      TARGET: side,
      APP_URL: originOf(config.host, ports[`${side}App`]),
      APP_PIDFILE: pidFileOf(side, layout),
      // An agent accepts only one of the three, and the user's environment may set another.
      APP_PID: undefined,
      APP_UNIT: undefined,
    },
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
      PROD_URLS: originOf(config.host, ports.prodApp),
      CANARY_URLS: originOf(config.host, ports.canaryApp),
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
      SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
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
      ...withoutEmpty(layout.config.env),
      REDIS_URL: redisUrlOf(layout),
      ...settings,
    },
    logFile: join(layout.workspace.logs, `${name.replace(" ", "-")}.log`),
    isReady: async () => (await fetchText(readyUrl)) !== undefined,
  };
}

function pidFileOf(side: Side, { workspace }: Layout): string {
  return join(workspace.pids, `${side}-app.pid`);
}

/** An empty variable counts as unset. */
export function withoutEmpty(
  env: LauncherConfig["env"],
): LauncherConfig["env"] {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== ""),
  );
}
