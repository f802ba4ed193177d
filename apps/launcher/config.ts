import { formatRouteRules, type ServiceFile } from "../../lib/service-file.js";
import {
  parseHttpOrigin,
  readBaseConfig,
  readHost,
  readPort,
} from "../../lib/settings/base-config.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";

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

/** The ports of one machine, in the order of their use by people, and the variables that override those of serin.yml. */
const PORTS = {
  proxy: { variable: "PROXY_PORT", user: "the proxy" },
  admin: { variable: "ADMIN_PORT", user: "the proxy's status" },
  monitor: { variable: "MONITOR_PORT", user: "the monitor" },
  prodApp: { variable: "PROD_PORT", user: "the prod app" },
  canaryApp: { variable: "CANARY_PORT", user: "the canary app" },
  prodAgent: { variable: "PROD_AGENT_PORT", user: "the prod app's agent" },
  canaryAgent: {
    variable: "CANARY_AGENT_PORT",
    user: "the canary app's agent",
  },
  redis: { variable: "REDIS_PORT", user: "the private Redis" },
  smtp: { variable: "SMTP_PORT", user: "the mailbox" },
} as const;

/** Of an agent's port from that of its app, as on hosts. */
const AGENT_DISTANCE = 100;

export type PortName = keyof typeof PORTS;

export interface LauncherConfig {
  /** The user's environment, without empty variables. */
  env: Environment;
  /** The same with the settings of serin.yml, from which each program of Serin reads its own. */
  settings: Environment;
  host: string;
  adminHost: string;
  /** Undefined for a private Redis. May contain a password. */
  redisUrl: string | undefined;
  keyPrefix: string;
  flagName: string;
  /** The instances of a side that the user runs, by PROD_URLS and CANARY_URLS. */
  urls: Record<Side, URL[] | undefined>;
  /** Whether the monitor sends its mails to the launcher's mailbox, which is the default. */
  hasMailbox: boolean;
  ports: Record<PortName, PortWish>;
}

/** @throws SettingsError */
export function readConfig(
  environment: Environment,
  service: ServiceFile,
): LauncherConfig {
  const env = withoutEmpty(environment);
  const merged = mergeSettings(env, service);
  // PORT is ignored, because each program has its own port variable.
  const settings = new SettingsReader({ ...merged, PORT: undefined });
  const base = readBaseConfig(settings, 0);
  const { host, redisUrl, keyPrefix, flagName } = base;
  const hasRedis = settings.isSet("REDIS_URL");
  const hasMailbox =
    !settings.isSet("SMTP_URL") &&
    settings.choice("ALERT_TRANSPORT", ["log", "smtp", "ses"], "smtp") ===
      "smtp";
  const adminHost = readHost(settings, "ADMIN_HOST");
  const fallbacks = portsOf(service);
  const wish = (name: PortName, on: string, isNeeded = true): PortWish => {
    const { user, variable } = PORTS[name];
    const fallback = fallbacks[name];
    // The port of a server that will not run must not cause an error.
    const port = isNeeded ? readPort(settings, variable, fallback) : 0;
    return { user, variable, host: on, port };
  };
  const urls = readUrls(settings);
  const config: LauncherConfig = {
    env,
    settings: merged,
    host,
    adminHost,
    redisUrl: hasRedis ? redisUrl : undefined,
    keyPrefix,
    flagName,
    urls,
    hasMailbox,
    ports: {
      proxy: wish("proxy", host),
      admin: wish("admin", adminHost),
      monitor: wish("monitor", host),
      prodApp: wish("prodApp", host, urls.prod === undefined),
      canaryApp: wish("canaryApp", host, urls.canary === undefined),
      prodAgent: wish("prodAgent", host),
      canaryAgent: wish("canaryAgent", host),
      redis: wish("redis", "127.0.0.1", !hasRedis),
      smtp: wish("smtp", "127.0.0.1", hasMailbox),
    },
  };
  settings.finish();
  return config;
}

/** What Serin's programs have to know of the service, unless the user's environment says otherwise. */
export function mergeSettings(
  env: Environment,
  service: ServiceFile,
): Environment {
  const { prefix, flag, flags, routes } = service;
  return {
    KEY_PREFIX: prefix,
    FLAG_NAME: flag,
    ...(flags.length > 0 && { FLAGS: flags.join(",") }),
    ...(Object.keys(routes).length > 0 && {
      ROUTE_RULES: formatRouteRules(service),
    }),
    ...withoutEmpty(env),
  };
}

function portsOf({ ports, proxy }: ServiceFile): Record<PortName, number> {
  return {
    proxy: proxy.port,
    admin: ports.admin,
    monitor: ports.monitor,
    prodApp: ports.prod,
    canaryApp: ports.canary,
    prodAgent: ports.prod + AGENT_DISTANCE,
    canaryAgent: ports.canary + AGENT_DISTANCE,
    redis: 0,
    smtp: 0,
  };
}

function readUrls(settings: SettingsReader): LauncherConfig["urls"] {
  const [prod, canary] = SIDES.map((side) => {
    const variable = `${side.toUpperCase()}_URLS`;
    if (!settings.isSet(variable)) return undefined;
    const right = "http://host:port without a path, several with commas";
    return settings.list(variable, right, (value) => parseHttpOrigin(value));
  });
  return { prod, canary };
}

/** An empty variable counts as unset. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== ""),
  );
}
