import {
  isLoopback,
  readAdminToken,
  readBaseConfig,
  readMs,
  type BaseConfig,
} from "../../lib/settings/base-config.js";
import { DEFAULT_SILENCE_MS } from "../../lib/telemetry/silence.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import { parseTolerance, type Tolerance } from "./verdict/tolerance.js";
import { readAlertConfig, type AlertConfig } from "./alert/alert-config.js";

export interface LatencyRule {
  thresholdMs: number;
  /** 0 to 1. */
  quantile: number;
  windowMs: number;
  minRequests: number;
}

export interface CpuRule {
  /** 1 is one core fully used. */
  threshold: number;
  windowMs: number;
}

export interface RecoveryRule {
  mode: "auto" | "manual";
  cooldownMs: number;
}

export interface VerdictRule {
  /** `observe` raises an alert instead of stopping the canary. */
  mode: "on" | "observe" | "off";
  /** The share of healthy releases that may be stopped by mistake, at one try each. */
  alpha: number;
  tolerance: Tolerance;
}

export interface MonitorConfig extends BaseConfig {
  latency: LatencyRule;
  cpu: CpuRule;
  recovery: RecoveryRule;
  verdict: VerdictRule;
  /** After this time without telemetry a proxy or agent counts as silent. */
  silenceMs: number;
  /** How long an app must be gone, or fail its probe, before an alert: longer than a restart takes. */
  alertDelayMs: number;
  /** The link in alerts; the monitor's own address by default. */
  dashboardUrl: string | undefined;
  alert: AlertConfig;
  adminToken: string | undefined;
}

/** @throws SettingsError */
export function readConfig(env: Environment): MonitorConfig {
  const settings = new SettingsReader(env);
  const config: MonitorConfig = {
    ...readBaseConfig(settings, 8090),
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
    },
    cpu: {
      threshold: settings.decimal(
        "CPU_THRESHOLD",
        { min: 0.01, max: 1024 },
        0.9,
      ),
      windowMs: readMs(settings, "CPU_WINDOW_MS", { fallback: 30_000 }),
    },
    recovery: {
      mode: settings.choice("RECOVERY", ["auto", "manual"], "auto"),
      cooldownMs: readMs(settings, "COOLDOWN_MS", { fallback: 60_000 }),
    },
    verdict: {
      mode: settings.choice("VERDICT", ["on", "observe", "off"], "on"),
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
    silenceMs: readMs(settings, "SILENCE_MS", {
      fallback: DEFAULT_SILENCE_MS,
      min: 1000,
    }),
    alertDelayMs: readMs(settings, "ALERT_DELAY_MS", {
      fallback: 10_000,
      min: 0,
    }),
    dashboardUrl: settings.isSet("DASHBOARD_URL")
      ? settings.parsed(
          "DASHBOARD_URL",
          "an http:// or https:// URL without a user or password",
          parseDashboardUrl,
        )
      : undefined,
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

function parseDashboardUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  const isPlain = url?.username === "" && url.password === "";
  return isWeb && isPlain ? url.href.replace(/\/$/, "") : undefined;
}
