import { isIP } from "node:net";
import type { SettingsReader } from "./settings.js";

const LOG_LEVELS = [
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "silent",
] as const;

/** Where Serin stores its data. */
export interface StoreConfig {
  /** May hold a password: never log it. */
  redisUrl: string;
  keyPrefix: string;
  flagName: string;
}

/** The settings of every program that serves. */
export interface BaseConfig extends StoreConfig {
  logLevel: (typeof LOG_LEVELS)[number];
  host: string;
  port: number;
}

const FLAG_NAME_RULE = "1 to 64 of A-Z a-z 0-9 . _ -";
export const parseFlagName = matching(/^[\w.-]{1,64}$/);

const PORT_RANGE = { min: 0, max: 65535 };

/** @param urlName the variable with the URL of Redis */
export function readStoreConfig(
  settings: SettingsReader,
  urlName = "REDIS_URL",
): StoreConfig {
  return {
    redisUrl: settings.secret(
      urlName,
      "redis://[user:password@]host:port[/db] or rediss://…",
      parseRedisUrl,
      "redis://127.0.0.1:6379",
    ),
    keyPrefix: settings.parsed(
      "KEY_PREFIX",
      "1 to 64 of A-Z a-z 0-9 . _ : -",
      matching(/^[\w.:-]{1,64}$/),
      "serin:",
    ),
    flagName: settings.parsed(
      "FLAG_NAME",
      FLAG_NAME_RULE,
      parseFlagName,
      "feature",
    ),
  };
}

/** The names of further flags. */
export function readFlagNames(settings: SettingsReader): string[] {
  const right = `names of flags, separated by commas, each ${FLAG_NAME_RULE}`;
  return settings.list("FLAGS", right, parseFlagName, []);
}

export function readBaseConfig(
  settings: SettingsReader,
  defaultPort: number,
): BaseConfig {
  return {
    ...readStoreConfig(settings),
    logLevel: settings.choice("LOG_LEVEL", LOG_LEVELS, "info"),
    host: readHost(settings, "HOST"),
    port: readPort(settings, "PORT", defaultPort),
  };
}

/** The token that authorises changes on the monitor; undefined if none is set. */
export function readAdminToken(settings: SettingsReader): string | undefined {
  if (!settings.isSet("ADMIN_TOKEN")) return undefined;
  return settings.secret(
    "ADMIN_TOKEN",
    "1 to 512 printable ASCII characters without blanks",
    matching(/^[\x21-\x7e]{1,512}$/),
  );
}

export function readHost(settings: SettingsReader, name: string): string {
  return settings.parsed(
    name,
    "an address to listen on, such as 127.0.0.1, 0.0.0.0 or localhost",
    parseHost,
    "127.0.0.1",
  );
}

/** With 0, the system selects a free port, and the log names it. */
export function readPort(
  settings: SettingsReader,
  name: string,
  fallback: number,
): number {
  return settings.integer(name, PORT_RANGE, fallback);
}

/** Milliseconds from `min` (1 by default) to a day. */
export function readMs(
  settings: SettingsReader,
  name: string,
  options: { fallback: number; min?: number },
): number {
  return settings.integer(
    name,
    { min: options.min ?? 1, max: 86_400_000 },
    options.fallback,
  );
}

/** An origin such as `http://127.0.0.1:3001`: no path, no credentials. */
export function parseHttpOrigin(
  value: string,
  protocols: readonly string[] = ["http:"],
): URL | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !protocols.includes(url.protocol)) return undefined;
  const isOrigin =
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    url.username === "" &&
    url.password === "";
  return isOrigin ? url : undefined;
}

/** Strict, because ioredis reads a malformed database as 0, and a query could override any option of its client. */
function parseRedisUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isRedis = url?.protocol === "redis:" || url?.protocol === "rediss:";
  if (!isRedis || url.hostname === "") return undefined;
  const isPlain =
    /^(\/\d{0,5})?$/.test(url.pathname) && url.search === "" && url.hash === "";
  return isPlain && [url.username, url.password].every(isDecodable)
    ? value
    : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function parseHost(value: string): string | undefined {
  const isHostname =
    /^(?=.{1,253}$)[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i.test(
      value,
    );
  return isIP(value) !== 0 || isHostname ? value : undefined;
}

function matching(pattern: RegExp): (value: string) => string | undefined {
  return (value) => (pattern.test(value) ? value : undefined);
}

/** Whether the name or address can only mean this host. */
export function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
