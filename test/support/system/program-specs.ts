import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Environment, ProgramSpec } from "./child-program.js";

export type ProgramKind = "app" | "agent" | "proxy" | "monitor";

/** The ports and folders of a system. */
export interface Layout {
  redisUrl: string;
  keyPrefix: string;
  ports: {
    app: Readonly<Record<Side, number>>;
    agent: Readonly<Record<Side, number>>;
    proxy: number;
    proxyAdmin: number;
    smtp: number;
  };
  /** The folder of the apps' pidfiles. */
  directory: string;
  /** Settings other than addresses. */
  env: Partial<Record<ProgramKind | "canaryApp", Environment>>;
  /** Options of Node. */
  nodeOptions: Partial<Record<ProgramKind, readonly string[]>>;
}

const REQUEST_TAP = new URL("./request-tap.js", import.meta.url).href;

/** The canary has the request tap. */
export function describeApp(side: Side, layout: Layout): ProgramSpec {
  const env = {
    ROLE: side,
    PORT: String(layout.ports.app[side]),
    ...(side === "canary" ? layout.env.canaryApp : {}),
  };
  const spec = describe("app", `${side} app`, layout, env);
  const pidFile = pidFileOf(side, layout);
  const tap = side === "canary" ? ["--import", REQUEST_TAP] : [];
  return {
    ...spec,
    nodeOptions: [...(spec.nodeOptions ?? []), ...tap],
    onStart: (pid) => writeFileSync(pidFile, `${pid}\n`),
  };
}

/** A replacement of an app with the entry point `main`, which logs `backend listens`. */
export function describeStandIn(
  main: string,
  layout: Layout,
  side: Side = "canary",
): ProgramSpec {
  return {
    ...describeApp(side, layout),
    name: `stand-in for the ${side} app`,
    main,
    nodeOptions: [],
    readyMessage: "backend listens",
  };
}

export function describeAgent(side: Side, layout: Layout): ProgramSpec {
  return describe("agent", `${side} agent`, layout, {
    TARGET: side,
    PORT: String(layout.ports.agent[side]),
    APP_URL: originOf(layout.ports.app[side]),
    APP_PIDFILE: pidFileOf(side, layout),
  });
}

export function describeProxy(layout: Layout): ProgramSpec {
  const { ports } = layout;
  return describe("proxy", "proxy", layout, {
    PORT: String(ports.proxy),
    ADMIN_PORT: String(ports.proxyAdmin),
    PROD_URLS: originOf(ports.app.prod),
    CANARY_URLS: originOf(ports.app.canary),
  });
}

export function describeMonitor(layout: Layout, port: number): ProgramSpec {
  return describe("monitor", `monitor on ${port}`, layout, {
    PORT: String(port),
    ALERT_TRANSPORT: "smtp",
    ALERT_FROM: "serin@example.com",
    ALERT_TO: "ops@example.com,dev@example.com",
    SMTP_URL: `smtp://127.0.0.1:${layout.ports.smtp}`,
  });
}

function describe(
  program: ProgramKind,
  name: string,
  layout: Layout,
  env: Environment,
): ProgramSpec {
  const main = `../../../apps/${program}/main.js`;
  return {
    name,
    main: fileURLToPath(new URL(main, import.meta.url)),
    env: {
      PATH: process.env.PATH ?? "",
      REDIS_URL: layout.redisUrl,
      KEY_PREFIX: layout.keyPrefix,
      ...env,
      ...layout.env[program],
    },
    nodeOptions: layout.nodeOptions[program] ?? [],
    readyMessage: `${program} listens`,
  };
}

function pidFileOf(side: Side, { directory }: Layout): string {
  return join(directory, `${side}-app.pid`);
}

function originOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}
