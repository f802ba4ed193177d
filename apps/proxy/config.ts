import { BlockList, isIPv4 } from "node:net";
import { availableParallelism } from "node:os";
import * as z from "zod";
import {
  ADMIN_HOST,
  BASE_SETTINGS,
  DRAIN,
} from "../../lib/settings/base-config.js";
import {
  setting,
  SettingsReader,
  withDefault,
  type Environment,
} from "../../lib/settings/settings.js";
import {
  choice,
  either,
  httpOrigins,
  list,
  listenPort,
  ms,
  parsed,
  wholeNumber,
} from "../../lib/settings/values.js";
import { parseRatio } from "../../lib/telemetry/split-ratio.js";
import { ENGINE_NAMES } from "./engines/engine.js";

const MAX_WORKERS = 128;

const ratio = parsed(
  "prod:canary as whole numbers up to 1000, not both 0, such as 3:1",
  parseRatio,
);
const workers = z
  .union([
    wholeNumber(1, MAX_WORKERS),
    z
      .literal("auto")
      .transform(() => Math.min(MAX_WORKERS, availableParallelism())),
  ])
  .meta({
    description: `a whole number from 1 to ${MAX_WORKERS}, or auto for one for each core`,
  });
const NETWORKS =
  "addresses or CIDR ranges separated by commas, such as 10.0.0.0/8,192.0.2.7";
const network = z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()]);
const networks = list(NETWORKS, network)
  .transform(createBlockList)
  .meta({ description: NETWORKS });
const sample = parsed(
  "bad, all, off, or the share of good requests to log beside the bad, such as 1%",
  parseSample,
);

const headerOrCookie = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]{0,64}$/)
  .meta({ description: "a name of a header or cookie; empty for none" });

export const SETTINGS = {
  ...BASE_SETTINGS,
  port: withDefault(BASE_SETTINGS.port, 8080),
  adminHost: ADMIN_HOST,
  adminPort: setting("ADMIN_PORT", listenPort, {
    default: 8081,
    meaning: "of ADMIN_HOST; not for users",
  }),
  prodUrls: setting("PROD_URLS", httpOrigins, {
    default: "http://127.0.0.1:3001",
    meaning: "prod's instances; several take turns",
  }),
  canaryUrls: setting("CANARY_URLS", httpOrigins, {
    default: "http://127.0.0.1:3002",
    meaning: "the canary's instances; several take turns",
  }),
  split: setting("SPLIT", ratio, {
    default: "3:1",
    meaning: "prod:canary, exact in each block of that many requests",
  }),
  optInHeader: setting("CANARY_HEADER", headerOrCookie, {
    default: "",
    meaning:
      "a request with this header of 1 or true gets the canary while it is open, and counts in no figure; anybody may send it",
  }),
  optInCookie: setting("CANARY_COOKIE", headerOrCookie, {
    default: "",
    meaning: "the same by a cookie",
  }),
  isSticky: setting("STICKY", either("off", "cookie"), {
    default: "off",
    meaning:
      "cookie: a client keeps its side, by a cookie named serin-side; the share is of clients then",
  }),
  hasAssetFallback: setting("ASSET_FALLBACK", either("off", "on"), {
    default: "off",
    meaning:
      "on: a GET or HEAD that one side answers 404 is tried on the other, while both get traffic",
  }),
  leaseRequired: setting("CANARY_LEASE", either("optional", "required"), {
    default: "optional",
    meaning: "required: no canary traffic unless a monitor leads",
  }),
  hasBreaker: setting("BREAKER", either("off", "on"), {
    default: "on",
    meaning: "off: a failing canary stays in until the monitor stops it",
  }),
  flagStaleMs: setting("FLAG_STALE_MS", ms(1500), {
    default: 5000,
    meaning: "no canary traffic when the flag was not confirmed for this long",
  }),
  connectTimeoutMs: setting("CONNECT_TIMEOUT_MS", ms(), {
    default: 1000,
    meaning: "for a connection to an upstream",
  }),
  responseTimeoutMs: setting("RESPONSE_TIMEOUT_MS", ms(), {
    default: 30_000,
    meaning:
      "until the response's head arrives, or a WebSocket's peer takes waiting data",
  }),
  telemetryIntervalMs: setting("TELEMETRY_INTERVAL_MS", ms(50), {
    default: 500,
    meaning: "how often traffic is reported to Redis",
  }),
  workers: setting("WORKERS", workers, {
    default: 1,
    meaning:
      "threads that serve clients; auto: one for each core; more than 1 needs Node 22.12 or 24",
  }),
  engine: setting("PROXY_ENGINE", choice(...ENGINE_NAMES), {
    default: "direct",
    meaning: "http-proxy: forwards requests by the package of that name",
  }),
  headersTimeoutMs: setting("HEADERS_TIMEOUT_MS", ms(), {
    default: 10_000,
    meaning: "how long a client may take to send a request's head",
  }),
  requestTimeoutMs: setting("REQUEST_TIMEOUT_MS", ms(0), {
    default: 300_000,
    meaning:
      "how long a client may take to send the whole request; 0: no limit",
  }),
  maxHeaderBytes: setting("MAX_HEADER_BYTES", wholeNumber(1024, 1_048_576), {
    default: 16_384,
    meaning: "largest head of a request or response",
  }),
  maxConnections: setting("MAX_CONNECTIONS", wholeNumber(1, 1_000_000), {
    default: 10_000,
    meaning: "of clients; further ones are answered with 503",
  }),
  trustedProxies: setting("TRUSTED_PROXIES", networks, {
    default: "",
    meaning: "peers whose X-Forwarded-* headers are kept; none by default",
  }),
  keepsUnderscores: setting("UNDERSCORE_HEADERS", either("drop", "keep"), {
    default: "drop",
    meaning:
      "keep: request headers with underscores in their names are forwarded; an app may take X_Real_Ip for X-Real-Ip",
  }),
  accessLog: {
    /** -1 for off. */
    sampleRatio: setting("ACCESS_LOG", sample, {
      default: "bad",
      meaning:
        "requests that failed, were slow or were answered by prod in the canary's place; 1%: and one in a hundred others; all; off",
    }),
    slowMs: setting("ACCESS_LOG_SLOW_MS", ms(), {
      default: 500,
      meaning: "a request that waited this long is logged as slow",
    }),
  },
  tellsTiming: setting("SERVER_TIMING", either("off", "on"), {
    default: "off",
    meaning:
      "on: each response has a server-timing with the milliseconds of the proxy and of the upstream",
  }),
  drainMs: DRAIN,
};

export type ProxyConfig = ReturnType<typeof readConfig>;

/** @throws SettingsError */
export function readConfig(env: Environment) {
  const settings = new SettingsReader(env);
  const { accessLog, optInHeader, optInCookie, ...config } =
    settings.read(SETTINGS);
  const { workers, telemetryIntervalMs, flagStaleMs } = config;
  const { requestTimeoutMs, headersTimeoutMs } = config;
  const problem = whyNotSeveral(process.versions.node);
  if (workers > 1 && problem !== undefined)
    settings.reject(`WORKERS is ${workers}: ${problem}`);
  if (telemetryIntervalMs > flagStaleMs / 2)
    settings.reject(
      `TELEMETRY_INTERVAL_MS is ${telemetryIntervalMs}: give at most ${flagStaleMs / 2}, half of FLAG_STALE_MS`,
    );
  if (requestTimeoutMs > 0 && requestTimeoutMs < headersTimeoutMs)
    settings.reject(
      `REQUEST_TIMEOUT_MS is ${requestTimeoutMs}: give 0 or at least HEADERS_TIMEOUT_MS (${headersTimeoutMs})`,
    );
  settings.finish();
  /** Undefined to log none. */
  const logged = accessLog.sampleRatio < 0 ? undefined : accessLog;
  const optIn =
    optInHeader === "" && optInCookie === ""
      ? undefined
      : { header: optInHeader.toLowerCase(), cookie: optInCookie };
  return { ...config, accessLog: logged, optIn };
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

function parseSample(value: string): number | undefined {
  const known = { off: -1, bad: 0, all: 1 }[value];
  const percent = /^(\d{1,3}(\.\d{1,3})?)%$/.exec(value)?.[1];
  const ratio = known ?? Number(percent) / 100;
  return ratio <= 1 ? ratio : undefined;
}

function createBlockList(networks: readonly string[]): BlockList {
  const created = new BlockList();
  for (const [address = "", bits] of networks.map((one) => one.split("/"))) {
    const [family, widest] = isIPv4(address)
      ? (["ipv4", 32] as const)
      : (["ipv6", 128] as const);
    created.addSubnet(address, Number(bits ?? widest), family);
  }
  return created;
}
