import {
  readBaseConfig,
  readMs,
  type BaseConfig,
} from "../../lib/settings/base-config.js";
import { releaseVersion } from "../../lib/program/release.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";
import type { Faults } from "./faults.js";

/** Longest delay that `/slow` and the settings accept. */
export const MAX_SLOW_MS = 30_000;
const MAX_KV_TTL_S = 86_400;

export interface AppConfig extends BaseConfig {
  role: Side;
  version: string;
  slowMs: number;
  kvTtlS: number;
  faults: Faults;
  drainMs: number;
}

/** @throws SettingsError */
export function readConfig(env: Environment): AppConfig {
  const settings = new SettingsReader(env);
  const role = settings.choice("ROLE", SIDES);
  const config: AppConfig = {
    ...readBaseConfig(settings, role === "canary" ? 3002 : 3001),
    role,
    version: readVersion(settings),
    slowMs: settings.integer("SLOW_MS", { min: 0, max: MAX_SLOW_MS }, 1000),
    kvTtlS: settings.integer("KV_TTL_S", { min: 1, max: MAX_KV_TTL_S }, 10),
    faults: {
      baseLatencyMs: settings.integer(
        "BASE_LATENCY_MS",
        { min: 0, max: MAX_SLOW_MS },
        0,
      ),
      slowdown: settings.decimal("SLOWDOWN", { min: 1, max: 100 }, 1),
      errorRatio: settings.decimal("ERROR_RATIO", { min: 0, max: 1 }, 0),
    },
    drainMs: readMs(settings, "DRAIN_MS", { fallback: 10_000, min: 0 }),
  };
  settings.finish();
  return config;
}

/** Its release on a host has no version of its own beside it. */
function readVersion(settings: SettingsReader): string {
  if (!settings.isSet("VERSION")) return releaseVersion();
  return settings.parsed(
    "VERSION",
    "1 to 64 of A-Z a-z 0-9 . _ + -",
    (value) => (/^[\w.+-]{1,64}$/.test(value) ? value : undefined),
  );
}
