import { releaseVersion } from "../../lib/program/release.js";
import { BASE_SETTINGS, DRAIN } from "../../lib/settings/base-config.js";
import {
  readSettings,
  required,
  setting,
  type Environment,
} from "../../lib/settings/settings.js";
import {
  choice,
  decimal,
  ms,
  text,
  wholeNumber,
} from "../../lib/settings/values.js";
import { SIDES } from "../../lib/telemetry/telemetry.js";

/** Longest delay that `/slow` and the settings accept. */
export const MAX_SLOW_MS = 30_000;

const version = text("1 to 64 of A-Z a-z 0-9 . _ + -", /^[\w.+-]{1,64}$/);

export const SETTINGS = {
  role: required(
    setting("ROLE", choice(...SIDES), {
      meaning: "the side that this instance serves",
    }),
  ),
  ...BASE_SETTINGS,
  version: setting("VERSION", version, {
    meaning: "shown by GET / and the agent; default: the release's own version",
  }),
  slowMs: setting("SLOW_MS", ms(0, MAX_SLOW_MS), {
    default: 1000,
    meaning: "how long the canary's GET /slow takes",
  }),
  kvTtlS: setting("KV_TTL_S", wholeNumber(1, 86_400), {
    default: 10,
    meaning: "how long a value stored by /set lives",
  }),
  faults: {
    baseLatencyMs: setting("BASE_LATENCY_MS", ms(0, MAX_SLOW_MS), {
      default: 0,
      meaning: "added to every answer except health checks",
    }),
    slowdown: setting("SLOWDOWN", decimal(1, 100), {
      default: 1,
      meaning:
        "multiplies BASE_LATENCY_MS, to try a canary that is slower on every route",
    }),
    errorRatio: setting("ERROR_RATIO", decimal(0, 1), {
      default: 0,
      meaning:
        "share of requests answered with 500, to try a canary that fails",
    }),
  },
  drainMs: DRAIN,
};

export type AppConfig = ReturnType<typeof readConfig>;

/** @throws SettingsError */
export function readConfig(env: Environment) {
  const config = readSettings(env, SETTINGS);
  return {
    ...config,
    port: config.port ?? (config.role === "canary" ? 3002 : 3001),
    // A release on a host has no version of its own beside it.
    version: config.version ?? releaseVersion(),
  };
}
