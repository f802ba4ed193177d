import { BlockList, isIP } from "node:net";
import { availableParallelism } from "node:os";
import {
  parseHttpOrigin,
  readBaseConfig,
  readHost,
  readMs,
  readPort,
  type BaseConfig,
} from "../../lib/settings/base-config.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import type { AccessLogConfig } from "./exchange/access-log.js";
import type { ClientLimits } from "./clients/strict-server.js";
import {
  ENGINE_NAMES,
  type EngineName,
  type UpstreamLimits,
} from "./engines/engine.js";
import { parseRatio, type Ratio } from "../../lib/telemetry/split-ratio.js";

/** The maximum is below the minute after which lib/program/lifecycle.ts forces a stop. */
const DRAIN_MS_RANGE = { min: 0, max: 50_000 };
const MAX_WORKERS = 128;

export interface ProxyConfig extends BaseConfig, ClientLimits, UpstreamLimits {
  engine: EngineName;
  /** Threads that serve clients; 1 means the main thread. */
  workers: number;
  adminHost: string;
  adminPort: number;
  prodUrls: URL[];
  canaryUrls: URL[];
  split: Ratio;
  leaseRequired: boolean;
  /** Whether a failing canary is closed without waiting for the monitor. */
  hasBreaker: boolean;
  flagStaleMs: number;
  maxConnections: number;
  drainMs: number;
  telemetryIntervalMs: number;
  /** Peers whose X-Forwarded-* headers are trusted. */
  trustedProxies: BlockList;
  /** Whether request headers with underscores in their names are forwarded. */
  keepsUnderscores: boolean;
  /** Undefined to log none. */
  accessLog: AccessLogConfig | undefined;
}

/** @throws SettingsError */
export function readConfig(env: Environment): ProxyConfig {
  const settings = new SettingsReader(env);
  const config: ProxyConfig = {
    ...readBaseConfig(settings, 8080),
    engine: settings.choice("PROXY_ENGINE", ENGINE_NAMES, "direct"),
    workers: readWorkers(settings),
    adminHost: readHost(settings, "ADMIN_HOST"),
    adminPort: readPort(settings, "ADMIN_PORT", 8081),
    prodUrls: readOrigins(settings, "PROD_URLS", "http://127.0.0.1:3001"),
    canaryUrls: readOrigins(settings, "CANARY_URLS", "http://127.0.0.1:3002"),
    split: settings.parsed(
      "SPLIT",
      "prod:canary as whole numbers up to 1000, not both 0, such as 3:1",
      parseRatio,
      { prod: 3, canary: 1 },
    ),
    leaseRequired:
      settings.choice("CANARY_LEASE", ["optional", "required"], "optional") ===
      "required",
    hasBreaker: settings.choice("BREAKER", ["on", "off"], "on") === "on",
    flagStaleMs: readMs(settings, "FLAG_STALE_MS", {
      fallback: 5000,
      min: 1500,
    }),
    connectTimeoutMs: readMs(settings, "CONNECT_TIMEOUT_MS", {
      fallback: 1000,
    }),
    responseTimeoutMs: readMs(settings, "RESPONSE_TIMEOUT_MS", {
      fallback: 30_000,
    }),
    ...readClientLimits(settings),
    drainMs: settings.integer("DRAIN_MS", DRAIN_MS_RANGE, 10_000),
    telemetryIntervalMs: readMs(settings, "TELEMETRY_INTERVAL_MS", {
      fallback: 500,
      min: 50,
    }),
    trustedProxies: readTrustedProxies(settings),
    keepsUnderscores:
      settings.choice("UNDERSCORE_HEADERS", ["drop", "keep"], "drop") ===
      "keep",
    accessLog: readAccessLog(settings),
  };
  const { telemetryIntervalMs, flagStaleMs } = config;
  if (telemetryIntervalMs > flagStaleMs / 2)
    settings.reject(
      `TELEMETRY_INTERVAL_MS is ${telemetryIntervalMs}: give at most ${flagStaleMs / 2}, half of FLAG_STALE_MS`,
    );
  settings.finish();
  return config;
}

function readWorkers(settings: SettingsReader): number {
  const right = "a whole number from 1 to 128, or auto for one for each core";
  const workers = settings.parsed("WORKERS", right, parseWorkers, 1);
  const problem = whyNotSeveral(process.versions.node);
  if (workers > 1 && problem !== undefined)
    settings.reject(`WORKERS is ${workers}: ${problem}`);
  return workers;
}

/** `auto` means one for each core that this process may use. */
export function parseWorkers(text: string): number | undefined {
  if (text === "auto") return Math.min(MAX_WORKERS, availableParallelism());
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return workers >= 1 && workers <= MAX_WORKERS ? workers : undefined;
}

/**
 * Several threads can listen on one port only with `reusePort`, which Node added in 22.12 and 23.1.
 *
 * @param version such as 22.12.0
 * @returns the problem with this version, if there is one
 */
export function whyNotSeveral(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough =
    major >= 24 ||
    (major === 23 && minor >= 1) ||
    (major === 22 && minor >= 12);
  return isEnough
    ? undefined
    : `more than 1 needs Node 22.12, 23.1 or later, and this is ${version}`;
}

function readClientLimits(settings: SettingsReader) {
  const headersTimeoutMs = readMs(settings, "HEADERS_TIMEOUT_MS", {
    fallback: 10_000,
  });
  const requestTimeoutMs = readMs(settings, "REQUEST_TIMEOUT_MS", {
    fallback: 300_000,
    min: 0,
  });
  if (requestTimeoutMs > 0 && requestTimeoutMs < headersTimeoutMs)
    settings.reject(
      `REQUEST_TIMEOUT_MS is ${requestTimeoutMs}: give 0 or at least HEADERS_TIMEOUT_MS (${headersTimeoutMs})`,
    );
  return {
    headersTimeoutMs,
    requestTimeoutMs,
    maxHeaderBytes: settings.integer(
      "MAX_HEADER_BYTES",
      { min: 1024, max: 1_048_576 },
      16_384,
    ),
    maxConnections: settings.integer(
      "MAX_CONNECTIONS",
      { min: 1, max: 1_000_000 },
      10_000,
    ),
  };
}

function readOrigins(
  settings: SettingsReader,
  name: string,
  fallback: string,
): URL[] {
  const right =
    "one or more http://host:port without a path, separated by commas";
  return settings.list(name, right, parseHttpOrigin, [new URL(fallback)]);
}

function readAccessLog(settings: SettingsReader): AccessLogConfig | undefined {
  const right =
    "bad, all, off, or the share of good requests to log beside the bad, such as 1%";
  const sampleRatio = settings.parsed("ACCESS_LOG", right, parseSample, 0);
  const slowMs = readMs(settings, "ACCESS_LOG_SLOW_MS", { fallback: 500 });
  return sampleRatio < 0 ? undefined : { sampleRatio, slowMs };
}

/** @returns -1 for off */
function parseSample(value: string): number | undefined {
  const known = { off: -1, bad: 0, all: 1 }[value];
  const percent = /^(\d{1,3}(\.\d{1,3})?)%$/.exec(value)?.[1];
  const ratio = known ?? Number(percent) / 100;
  return ratio <= 1 ? ratio : undefined;
}

function readTrustedProxies(settings: SettingsReader): BlockList {
  const right =
    "addresses or CIDR ranges separated by commas, such as 10.0.0.0/8,192.0.2.7";
  const trusted = new BlockList();
  const add = (range: string) => addRange(trusted, range);
  settings.list("TRUSTED_PROXIES", right, add, []);
  return trusted;
}

/** @returns undefined for a malformed range, which is not added */
function addRange(list: BlockList, text: string): true | undefined {
  const [, address = "", bitsText] =
    /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const widest = version === 4 ? 32 : 128;
  const bits = bitsText === undefined ? widest : Number(bitsText);
  if (bits > widest) return undefined;
  list.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
  return true;
}
