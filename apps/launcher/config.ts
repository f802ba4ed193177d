import {
  formatRouteRules,
  proxySettings,
  type ServiceFile,
} from "../../lib/service-file.js";
import { ADMIN_HOST, BASE_SETTINGS } from "../../lib/settings/base-config.js";
import {
  setting,
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import { choice, httpOrigins, listenPort } from "../../lib/settings/values.js";

/** An error that the user can fix; the message says how. */
export class LaunchError extends Error {
  override readonly name: string = "LaunchError";
  /** The exit status: 2 if the command line, a setting or the machine is in the way, as for other commands. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 1) {
    super(message);
    this.status = status;
  }
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

const port = (variable: string, user: string) =>
  setting(variable, listenPort, { meaning: user });

/** The ports of one machine, in the order of their use by people: of what, and the variables that override those of serin.yml. */
export const PORTS = {
  proxy: port("PROXY_PORT", "the proxy"),
  admin: port("ADMIN_PORT", "the proxy's status"),
  monitor: port("MONITOR_PORT", "the monitor"),
  prodApp: port("PROD_PORT", "the prod app"),
  canaryApp: port("CANARY_PORT", "the canary app"),
  prodAgent: port("PROD_AGENT_PORT", "the prod app's agent"),
  canaryAgent: port("CANARY_AGENT_PORT", "the canary app's agent"),
  redis: port("REDIS_PORT", "the private Redis"),
  smtp: port("SMTP_PORT", "the mailbox"),
};

/** What the launcher itself reads of the programs' settings. */
const SETTINGS = {
  ...BASE_SETTINGS,
  adminHost: ADMIN_HOST,
  transport: setting("ALERT_TRANSPORT", choice("log", "smtp", "ses"), {
    default: "smtp",
    meaning: "smtp: to the launcher's mailbox",
  }),
  urls: {
    prod: setting("PROD_URLS", httpOrigins, {
      meaning: "prod's instances, if the user runs them",
    }),
    canary: setting("CANARY_URLS", httpOrigins, {
      meaning: "the canary's instances, if the user runs them",
    }),
  },
};

/** Of an agent's port from that of its app, as on hosts. */
const AGENT_DISTANCE = 100;

export type PortName = keyof typeof PORTS;

export type LauncherConfig = ReturnType<typeof readConfig>;

/** @throws SettingsError */
export function readConfig(environment: Environment, service: ServiceFile) {
  const env = withoutEmpty(environment);
  const merged = mergeSettings(env, service);
  // PORT is ignored, because each program has its own port variable.
  const settings = new SettingsReader({ ...merged, PORT: undefined });
  const { transport, redisUrl, ...config } = settings.read(SETTINGS);
  const { host, adminHost, urls } = config;
  const hasRedis = settings.isSet("REDIS_URL");
  const hasMailbox = !settings.isSet("SMTP_URL") && transport === "smtp";
  const fallbacks = portsOf(service);
  const wish = (name: PortName, on: string, isNeeded = true): PortWish => {
    const { name: variable, meaning: user } = PORTS[name];
    // The port of a server that will not run must not cause an error.
    if (!isNeeded) return { user, variable, host: on, port: 0 };
    const { port = fallbacks[name] } = settings.read({ port: PORTS[name] });
    return { user, variable, host: on, port };
  };
  const ports: Record<PortName, PortWish> = {
    proxy: wish("proxy", host),
    admin: wish("admin", adminHost),
    monitor: wish("monitor", host),
    prodApp: wish("prodApp", host, urls.prod === undefined),
    canaryApp: wish("canaryApp", host, urls.canary === undefined),
    prodAgent: wish("prodAgent", host),
    canaryAgent: wish("canaryAgent", host),
    redis: wish("redis", "127.0.0.1", !hasRedis),
    smtp: wish("smtp", "127.0.0.1", hasMailbox),
  };
  settings.finish();
  return {
    ...config,
    /** The user's environment, without empty variables. */
    env,
    /** The same with the settings of serin.yml, from which each program of Serin reads its own. */
    settings: merged,
    /** Undefined for a private Redis. May contain a password. */
    redisUrl: hasRedis ? redisUrl : undefined,
    /** Whether the monitor sends its mails to the launcher's mailbox, which is the default. */
    hasMailbox,
    ports,
  };
}

/** What Serin's programs have to know of the service, unless the user's environment says otherwise. */
export function mergeSettings(
  env: Environment,
  service: ServiceFile,
): Environment {
  const { prefix, flag, flags, routes } = service;
  return {
    SYSTEM_NAME: service.service,
    ENVIRONMENT: "dev",
    CLI_COMMAND: "npx serin",
    KEY_PREFIX: prefix,
    FLAG_NAME: flag,
    ...(flags.length > 0 && { FLAGS: flags.join(",") }),
    ...(Object.keys(routes).length > 0 && {
      ROUTE_RULES: formatRouteRules(service),
    }),
    ...proxySettings(service),
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

/** An empty variable counts as unset. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== ""),
  );
}
