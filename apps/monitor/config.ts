import {
  isLoopback,
  readAdminToken,
  readBaseConfig,
  readMs,
} from "../../lib/settings/base-config.js";
import { DEFAULT_SILENCE_MS } from "../../lib/telemetry/silence.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import { SIDES } from "../../lib/telemetry/telemetry.js";
import { parseRouteRules, type RouteRules } from "./control/route-rules.js";
import { parseTolerance } from "./verdict/tolerance.js";
import { readAlertConfig } from "./alert/alert-config.js";

export type MonitorConfig = ReturnType<typeof readConfig>;
export type LatencyRule = MonitorConfig["latency"];
export type RecoveryRule = MonitorConfig["recovery"];
export type VerdictRule = MonitorConfig["verdict"];

/** @throws SettingsError */
export function readConfig(env: Environment) {
  const settings = new SettingsReader(env);
  const config = {
    ...readBaseConfig(settings, 8090),
    system: readSystem(settings),
    latency: {
      thresholdMs: readMs(settings, "LATENCY_THRESHOLD_MS", { fallback: 500 }),
      quantile: settings.decimal(
        "LATENCY_QUANTILE",
        { min: 0.01, max: 1 },
        0.95,
      ),
      windowMs: readMs(settings, "LATENCY_WINDOW_MS", {
        fallback: 10_000,
        min: 500,
      }),
      minRequests: settings.integer(
        "MIN_REQUESTS",
        { min: 1, max: 1_000_000 },
        5,
      ),
      sides: settings.list(
        "LATENCY_SIDES",
        `a list of ${SIDES.join(" and ")}`,
        (part) => SIDES.find((side) => side === part),
        ["canary", "prod"],
      ),
      routes: settings.parsed(
        "ROUTE_RULES",
        'JSON such as {"/poll": {"latency": "ignore"}, "/report": {"latency": "5s"}}, by first path segment',
        parseRouteRules,
        new Map() as RouteRules,
      ),
    },
    cpu: {
      /** 1 is one core fully used. */
      threshold: settings.decimal(
        "CPU_THRESHOLD",
        { min: 0.01, max: 1024 },
        0.9,
      ),
      windowMs: readMs(settings, "CPU_WINDOW_MS", { fallback: 30_000 }),
    },
    memoryRatio: settings.decimal("MEMORY_RATIO", { min: 1, max: 1000 }, 1.5),
    recovery: {
      mode: settings.choice("RECOVERY", ["auto", "manual"], "auto"),
      cooldownMs: readMs(settings, "COOLDOWN_MS", { fallback: 60_000 }),
    },
    verdict: {
      /** `observe` raises an alert instead of stopping the canary. */
      mode: settings.choice("VERDICT", ["on", "observe", "off"], "on"),
      /** The share of healthy releases that may be stopped by mistake, at one try each. */
      alpha: settings.decimal(
        "VERDICT_ALPHA",
        { min: 0.000001, max: 0.5 },
        0.01,
      ),
      tolerance: settings.parsed(
        "VERDICT_TOLERANCE",
        "by how much slower a canary may be, such as 10%+5ms",
        parseTolerance,
        { ratio: 0.1, ms: 5 },
      ),
    },
    /** After this time without telemetry a proxy or agent counts as silent. */
    silenceMs: readMs(settings, "SILENCE_MS", {
      fallback: DEFAULT_SILENCE_MS,
      min: 1000,
    }),
    /** How long an app must be gone, or fail its probe, before an alert: longer than a restart takes. */
    alertDelayMs: readMs(settings, "ALERT_DELAY_MS", {
      fallback: 10_000,
      min: 0,
    }),
    /** How long alerts of one kind wait for each other, to become one message. */
    alertGroupMs: readMs(settings, "ALERT_GROUP_MS", {
      fallback: 10_000,
      min: 0,
    }),
    ...readLinks(settings),
    alert: readAlertConfig(settings),
    adminToken: readAdminToken(settings),
  };
  if (!settings.isSet("ADMIN_TOKEN") && !isLoopback(config.host)) {
    settings.reject(
      `HOST is ${JSON.stringify(config.host)} but ADMIN_TOKEN is not set: anyone who can reach it could flip the flag. ` +
        "Set ADMIN_TOKEN, or listen on loopback (127.0.0.1, ::1 or localhost)",
    );
  }
  settings.finish();
  return config;
}

/** Names what is watched, such as `shop prod`, so that staging and prod are not taken for each other. */
function readSystem(settings: SettingsReader) {
  const read = (setting: string, fallback?: string) =>
    settings.parsed(
      setting,
      "1 to 40 of A-Z a-z 0-9 . _ - and blanks",
      (value) => (/^[\w.-][\w .-]{0,39}$/.test(value) ? value : undefined),
      fallback,
    );
  const name = read("SYSTEM_NAME", "serin");
  const environment = settings.isSet("ENVIRONMENT") ? read("ENVIRONMENT") : "";
  return { name, environment, label: `${name} ${environment}`.trim() };
}

function readLinks(settings: SettingsReader) {
  const read = <T>(
    name: string,
    right: string,
    parse: (value: string) => T | undefined,
  ) => (settings.isSet(name) ? settings.parsed(name, right, parse) : undefined);
  return {
    /** The link in alerts; the monitor's own address by default. */
    dashboardUrl: read(
      "DASHBOARD_URL",
      "an http:// or https:// URL without a user or password",
      parseDashboardUrl,
    ),
    /** The page of a change. */
    commitUrl: read(
      "COMMIT_URL",
      "an https:// or http:// URL with {commit}, and perhaps {before}, such as https://git.example.com/shop/commit/{commit}",
      parseCommitUrl,
    ),
  };
}

function parseCommitUrl(value: string): string | undefined {
  const isWeb = /^https?:$/.test(
    URL.canParse(value) ? new URL(value).protocol : "",
  );
  return isWeb && value.includes("{commit}") ? value : undefined;
}

function parseDashboardUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  const isPlain = url?.username === "" && url.password === "";
  return isWeb && isPlain ? url.href.replace(/\/$/, "") : undefined;
}
