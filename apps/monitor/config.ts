import {
  ADMIN_TOKEN,
  BASE_SETTINGS,
  DASHBOARD_URL,
} from "../../lib/settings/base-config.js";
import {
  setting,
  SettingsReader,
  withDefault,
  type Environment,
} from "../../lib/settings/settings.js";
import {
  choice,
  decimal,
  isLoopback,
  list,
  ms,
  parsed,
  parseUrl,
  text,
  wholeNumber,
} from "../../lib/settings/values.js";
import { DEFAULT_SILENCE_MS } from "../../lib/telemetry/silence.js";
import { SIDES } from "../../lib/telemetry/telemetry.js";
import { parseDuration } from "../../lib/wording/units.js";
import { ALERT_SETTINGS, readAlertConfig } from "./alert/alert-config.js";
import { parseRouteRules } from "./control/route-rules.js";
import { parseTolerance } from "./verdict/baseline/tolerance.js";

export type MonitorConfig = ReturnType<typeof readConfig>;
export type LatencyRule = MonitorConfig["latency"];
export type RecoveryRule = MonitorConfig["recovery"];
export type VerdictRule = MonitorConfig["verdict"];

const WEB = ["http:", "https:"];
const name = text(
  "1 to 40 of A-Z a-z 0-9 . _ - and blanks",
  /^([\w.-][\w .-]{0,39})?$/,
);
const sides = list(`a list of ${SIDES.join(" and ")}`, choice(...SIDES));
const routeRules = parsed(
  'JSON such as {"/poll": {"latency": "ignore"}, "/report": {"latency": "5s"}}, by first path segment',
  parseRouteRules,
);
const tolerance = parsed(
  "by how much slower a canary may be, such as 10%+5ms",
  parseTolerance,
);
const stall = parsed("2.5s or 5s", (text) =>
  ["2.5s", "5s"].includes(text) ? parseDuration(text) : undefined,
);
const MOST_WARM_UP_MS = 3_600_000;
const warmUp = parsed("a time of at most 1h, such as 60s", (text) => {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= MOST_WARM_UP_MS ? ms : undefined;
});
const command = text(
  "a command of 1 to 100 characters, such as ssh edge1 sudo serin",
  /^[^\p{Cc}]{1,100}$/u,
);
const commitUrl = parsed(
  "an https:// or http:// URL with {commit}, and perhaps {before}, such as https://git.example.com/shop/commit/{commit}",
  (value) =>
    parseUrl(value, WEB) && value.includes("{commit}") ? value : undefined,
);

const OWN_SETTINGS = {
  ...BASE_SETTINGS,
  port: withDefault(BASE_SETTINGS.port, 8090),
  /** Names what is watched, such as `shop prod`, so that staging and prod are not taken for each other. */
  system: {
    name: setting("SYSTEM_NAME", name, {
      default: "serin",
      meaning: "what is watched, in mails, on the page and in metrics",
    }),
    environment: setting("ENVIRONMENT", name, {
      default: "",
      meaning: "such as prod or staging, shown after SYSTEM_NAME",
    }),
    command: setting("CLI_COMMAND", command, {
      default: "sudo serin",
      meaning: "how people run serin, in mails",
    }),
  },
  latency: {
    thresholdMs: setting("LATENCY_THRESHOLD_MS", ms(), {
      default: 500,
      meaning: "a LATENCY_QUANTILE above this stops the canary",
    }),
    quantile: setting("LATENCY_QUANTILE", decimal(0.01, 1), {
      default: 0.95,
      meaning: "0.95: the 95th percentile",
    }),
    windowMs: setting("LATENCY_WINDOW_MS", ms(500), {
      default: 10_000,
      meaning: "the latency threshold judges the requests of this last while",
    }),
    minRequests: setting("MIN_REQUESTS", wholeNumber(1, 1_000_000), {
      default: 5,
      meaning:
        "with fewer in the window, the last ones of ten minutes are judged",
    }),
    sides: setting("LATENCY_SIDES", sides, {
      default: "canary,prod",
      meaning: "the sides whose latency stops the canary",
    }),
    routes: setting("ROUTE_RULES", routeRules, {
      default: "{}",
      meaning:
        'thresholds by path: {"/poll": {"latency": "ignore"}, "/report": {"latency": "5s"}}',
    }),
  },
  cpu: {
    threshold: setting("CPU_THRESHOLD", decimal(0.01, 1024), {
      default: 0.9,
      meaning: "of one core; more than this raises an alert",
    }),
    windowMs: setting("CPU_WINDOW_MS", ms(), {
      default: 30_000,
      meaning: "how long a CPU must be busy before the alert",
    }),
  },
  memoryRatio: setting("MEMORY_RATIO", decimal(1, 1000), {
    default: 1.5,
    meaning:
      "a canary that grows above this many times prod's memory raises an alert",
  }),
  silenceMs: setting("SILENCE_MS", ms(1000), {
    default: DEFAULT_SILENCE_MS,
    meaning:
      "a proxy or agent that reports nothing for this long raises an alert",
  }),
  alertDelayMs: setting("ALERT_DELAY_MS", ms(0), {
    default: 10_000,
    meaning: "how long an app must be gone or unhealthy before the alert",
  }),
  alertGroupMs: setting("ALERT_GROUP_MS", ms(0), {
    default: 10_000,
    meaning:
      "alerts of one kind wait this long for each other, to become one mail",
  }),
  recovery: {
    mode: setting("RECOVERY", choice("auto", "manual"), {
      default: "auto",
      meaning: "manual: the canary stays out until a person sets the flag",
    }),
    cooldownMs: setting("COOLDOWN_MS", ms(), {
      default: 60_000,
      meaning:
        "how long the canary stays out after its first breach; doubles with each further one",
    }),
  },
  verdict: {
    mode: setting("VERDICT", choice("on", "observe", "off"), {
      default: "on",
      meaning:
        "stops a canary that is worse than prod; observe: only reports it",
    }),
    alpha: setting("VERDICT_ALPHA", decimal(0.000001, 0.5), {
      default: 0.01,
      meaning: "share of healthy releases that the verdict may stop",
    }),
    tolerance: setting("VERDICT_TOLERANCE", tolerance, {
      default: "10%+5ms",
      meaning:
        "a canary that is slower by at most the larger of both does not count as slower",
    }),
    stallMs: setting("VERDICT_STALL", stall, {
      default: "5s",
      meaning:
        "how long a stall of one host is forgiven in each 30 s; 2.5s finds a slow canary sooner",
    }),
    warmUpMs: setting("VERDICT_WARM_UP", warmUp, {
      default: "60s",
      meaning:
        "how long a canary may be cold before its latency is compared; errors are judged from the first request",
    }),
  },
  adminToken: ADMIN_TOKEN,
  dashboardUrl: DASHBOARD_URL,
  commitUrl: setting("COMMIT_URL", commitUrl, {
    meaning:
      "the link to a change in mails: https://git.example.com/shop/compare/{before}...{commit}",
  }),
};

export const SETTINGS = { ...OWN_SETTINGS, alert: ALERT_SETTINGS };

/** @throws SettingsError */
export function readConfig(env: Environment) {
  const settings = new SettingsReader(env);
  const { system, ...config } = settings.read(OWN_SETTINGS);
  const alert = readAlertConfig(settings);
  if (!settings.isSet("ADMIN_TOKEN") && !isLoopback(config.host))
    settings.reject(
      `HOST is ${JSON.stringify(config.host)} but ADMIN_TOKEN is not set: anyone who can reach it could flip the flag. ` +
        "Set ADMIN_TOKEN, or listen on loopback (127.0.0.1, ::1 or localhost)",
    );
  settings.finish();
  const label = `${system.name} ${system.environment}`.trim();
  return { ...config, system: { ...system, label }, alert };
}
