import {
  readBaseConfig,
  readHost,
  readPort,
} from "../../lib/settings/base-config.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";

/** An error that the user can fix; the message says how. */
export class LaunchError extends Error {
  override readonly name: string = "LaunchError";
}

export interface PortWish {
  /** The program that will listen on it. */
  user: string;
  /** The environment variable that sets it. */
  variable: string;
  host: string;
  /** 0 for any free port. */
  port: number;
}

/** The ports of one machine, in the order of their use by people. */
export const PORTS = {
  proxy: { variable: "PROXY_PORT", fallback: 8080, user: "the proxy" },
  admin: { variable: "ADMIN_PORT", fallback: 8081, user: "the proxy's status" },
  monitor: { variable: "MONITOR_PORT", fallback: 8090, user: "the monitor" },
  prodApp: { variable: "PROD_PORT", fallback: 3001, user: "the prod app" },
  canaryApp: {
    variable: "CANARY_PORT",
    fallback: 3002,
    user: "the canary app",
  },
  prodAgent: {
    variable: "PROD_AGENT_PORT",
    fallback: 3101,
    user: "the prod app's agent",
  },
  canaryAgent: {
    variable: "CANARY_AGENT_PORT",
    fallback: 3102,
    user: "the canary app's agent",
  },
  redis: { variable: "REDIS_PORT", fallback: 0, user: "the private Redis" },
  smtp: { variable: "SMTP_PORT", fallback: 0, user: "the mailbox" },
} as const;

export type PortName = keyof typeof PORTS;

export interface LauncherConfig {
  /** The user's environment, from which each program reads its settings. */
  env: Environment;
  host: string;
  adminHost: string;
  /** Undefined for a private Redis. May contain a password. */
  redisUrl: string | undefined;
  keyPrefix: string;
  /** Whether the monitor sends its mails to the launcher's mailbox, which is the default. */
  hasMailbox: boolean;
  ports: Record<PortName, PortWish>;
}

/** @throws SettingsError */
export function readConfig(env: Environment): LauncherConfig {
  // PORT is ignored, because each program has its own port variable.
  const settings = new SettingsReader({ ...env, PORT: undefined });
  const { host, redisUrl, keyPrefix } = readBaseConfig(settings, 0);
  const hasRedis = settings.isSet("REDIS_URL");
  const hasMailbox =
    !settings.isSet("SMTP_URL") &&
    settings.choice("ALERT_TRANSPORT", ["log", "smtp", "ses"], "smtp") ===
      "smtp";
  const adminHost = readHost(settings, "ADMIN_HOST");
  const wish = (name: PortName, on: string, isNeeded = true): PortWish => {
    const { user, variable, fallback } = PORTS[name];
    // The port of a server that will not run must not cause an error.
    const port = isNeeded ? readPort(settings, variable, fallback) : 0;
    return { user, variable, host: on, port };
  };
  const config: LauncherConfig = {
    env,
    host,
    adminHost,
    redisUrl: hasRedis ? redisUrl : undefined,
    keyPrefix,
    hasMailbox,
    ports: {
      proxy: wish("proxy", host),
      admin: wish("admin", adminHost),
      monitor: wish("monitor", host),
      prodApp: wish("prodApp", host),
      canaryApp: wish("canaryApp", host),
      prodAgent: wish("prodAgent", host),
      canaryAgent: wish("canaryAgent", host),
      redis: wish("redis", "127.0.0.1", !hasRedis),
      smtp: wish("smtp", "127.0.0.1", hasMailbox),
    },
  };
  settings.finish();
  return config;
}
