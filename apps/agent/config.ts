import {
  parseHttpOrigin,
  readBaseConfig,
  readFlagNames,
  readMs,
  type BaseConfig,
} from "../../lib/settings/base-config.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";
import type { ProcessPointer } from "./find-app.js";

/** The highest pid that Linux allows (PID_MAX_LIMIT). */
const MAX_PID = 4_194_304;
const MIN_SAMPLE_INTERVAL_MS = 100;

export interface AgentConfig extends BaseConfig {
  target: Side;
  appUrl: URL;
  /** With a query, if the app wants one; `none` if connecting is all that can be checked. */
  healthPath: string;
  app: ProcessPointer;
  /** The JSON file that names the release of the running process. */
  releaseFile: string | undefined;
  sampleIntervalMs: number;
  /** Further flags of the service's code. */
  flags: string[];
}

/** @throws SettingsError */
export function readConfig(env: Environment): AgentConfig {
  const settings = new SettingsReader(env);
  const target = settings.choice("TARGET", SIDES);
  const isCanary = target === "canary";
  const appUrl = settings.parsed(
    "APP_URL",
    "http://host:port without a path",
    parseHttpOrigin,
    new URL(`http://127.0.0.1:${isCanary ? 3002 : 3001}`),
  );
  const config: AgentConfig = {
    ...readBaseConfig(settings, isCanary ? 3102 : 3101),
    target,
    appUrl,
    healthPath: settings.parsed(
      "HEALTH_PATH",
      "a path that begins with /, such as /healthz, or none",
      parsePath,
      "/healthz",
    ),
    app: readProcessPointer(settings, appUrl),
    releaseFile: settings.isSet("APP_RELEASE_FILE")
      ? settings.text("APP_RELEASE_FILE")
      : undefined,
    sampleIntervalMs: readMs(settings, "SAMPLE_INTERVAL_MS", {
      fallback: 1000,
      min: MIN_SAMPLE_INTERVAL_MS,
    }),
    flags: readFlagNames(settings),
  };
  settings.finish();
  return config;
}

function readProcessPointer(
  settings: SettingsReader,
  appUrl: URL,
): ProcessPointer {
  const pointers: ProcessPointer[] = [];
  if (settings.isSet("APP_PID")) {
    const pid = settings.integer("APP_PID", { min: 1, max: MAX_PID });
    pointers.push({ kind: "pid", pid });
  }
  if (settings.isSet("APP_PIDFILE"))
    pointers.push({ kind: "pidfile", path: settings.text("APP_PIDFILE") });
  if (settings.isSet("APP_UNIT")) {
    const right = "a systemd unit's name, such as app.service";
    const unit = settings.parsed("APP_UNIT", right, parseUnit);
    pointers.push({ kind: "unit", unit });
  }
  if (pointers.length > 1)
    settings.reject(
      `${pointers.length} of APP_PID, APP_PIDFILE and APP_UNIT are set: give one at most`,
    );
  return pointers[0] ?? { kind: "listener", url: appUrl };
}

/** A second slash or a backslash would name another host. */
function parsePath(value: string): string | undefined {
  return /^(none|\/(?!\/)[\w\-.~%!$&'()*+,;=:@/?]*)$/.test(value)
    ? value
    : undefined;
}

/** systemctl would parse a leading hyphen as an option. */
function parseUnit(value: string): string | undefined {
  return /^(?!-)[\w:.@\\-]{1,255}$/.test(value) ? value : undefined;
}
