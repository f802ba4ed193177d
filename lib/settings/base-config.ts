import { setting, type ValuesOf } from "./settings.js";
import {
  choice,
  FORMS,
  flagName,
  list,
  listenHost,
  listenPort,
  ms,
  parsed,
  parseUrl,
  redisUrl,
  secret,
  text,
} from "./values.js";

const keyPrefix = text("1 to 64 of A-Z a-z 0-9 . _ : -", FORMS.keyPrefix);

/** Where Serin stores its data. */
export const STORE_SETTINGS = {
  /** May hold a password: never log it. */
  redisUrl: setting("REDIS_URL", redisUrl, {
    default: "redis://127.0.0.1:6379",
    meaning: "the shared Redis; a password goes in here and is never logged",
  }),
  keyPrefix: setting("KEY_PREFIX", keyPrefix, {
    default: "serin:",
    meaning: "of every key in Redis; two systems can share a Redis",
  }),
  flagName: setting("FLAG_NAME", flagName, {
    default: "feature",
    meaning: "the flag that lets the canary in",
  }),
};

export type StoreConfig = ValuesOf<typeof STORE_SETTINGS>;

/** The settings of every program that serves. */
export const BASE_SETTINGS = {
  ...STORE_SETTINGS,
  logLevel: setting(
    "LOG_LEVEL",
    choice("trace", "debug", "info", "warn", "error", "silent"),
    { default: "info", meaning: "logs are JSON lines on standard output" },
  ),
  host: setting("HOST", listenHost, {
    default: "127.0.0.1",
    meaning: "the address to listen on",
  }),
  port: setting("PORT", listenPort, {
    meaning:
      "app 3001 (prod) or 3002 (canary), agent 3101 or 3102, proxy 8080, monitor 8090",
  }),
};

/** Of the proxy's status. */
export const ADMIN_HOST = setting("ADMIN_HOST", listenHost, {
  default: "127.0.0.1",
  meaning: "where /status and /metrics are served",
});

/** The maximum is below the minute after which lib/program/lifecycle.ts forces a stop. */
export const DRAIN = setting("DRAIN_MS", ms(0, 50_000), {
  default: 10_000,
  meaning:
    "how long a stop waits for requests in flight; the proxy also for its clients' idle connections",
});

const flagNames = list(
  `names of flags, separated by commas, each ${flagName.description}`,
  flagName,
);

export const FLAGS = setting("FLAGS", flagNames, {
  default: "",
  meaning:
    "further flags of the service's code, separated by commas; see docs/flags.md",
});

const token = text(
  "1 to 512 printable ASCII characters without blanks",
  /^[\x21-\x7e]{1,512}$/,
);

/** Authorises changes on the monitor. */
export const ADMIN_TOKEN = setting("ADMIN_TOKEN", secret(token), {
  meaning: "required when HOST is not loopback; serin sends it",
});

const pageUrl = parsed(
  "an http:// or https:// URL without a user or password",
  (value) => {
    const url = parseUrl(value, ["http:", "https:"]);
    const isPlain = url?.username === "" && url.password === "";
    return isPlain ? url.href.replace(/\/$/, "") : undefined;
  },
);

export const DASHBOARD_URL = setting("DASHBOARD_URL", pageUrl, {
  meaning: "where the links in mails go; default: the monitor's own address",
});
