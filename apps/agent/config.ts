import { BASE_SETTINGS, FLAGS } from "../../lib/settings/base-config.js";
import {
  required,
  setting,
  SettingsReader,
  type Environment,
  type ValuesOf,
} from "../../lib/settings/settings.js";
import {
  anyText,
  FORMS,
  choice,
  httpOrigin,
  ms,
  text,
  wholeNumber,
} from "../../lib/settings/values.js";
import { SIDES } from "../../lib/telemetry/telemetry.js";
import type { ProcessPointer } from "./find-app.js";

/** The highest pid that Linux allows (PID_MAX_LIMIT). */
const MAX_PID = 4_194_304;

const healthPath = text(
  "a path that begins with /, such as /healthz, or none",
  FORMS.healthPath,
);
const unitName = text(
  "a systemd unit's name, such as app.service",
  // systemctl would parse a leading hyphen as an option.
  /^(?!-)[\w:.@\\-]{1,255}$/,
);

export const SETTINGS = {
  target: required(
    setting("TARGET", choice(...SIDES), {
      meaning: "the side of the app that is sampled",
    }),
  ),
  appUrl: setting("APP_URL", httpOrigin, {
    meaning: "default: http://127.0.0.1:3001 (prod) or :3002 (canary)",
  }),
  ...BASE_SETTINGS,
  healthPath: setting("HEALTH_PATH", healthPath, {
    default: "/healthz",
    meaning:
      "the path on APP_URL that answers 2xx while the app is healthy; none: it only has to accept connections",
  }),
  app: {
    pid: setting("APP_PID", wholeNumber(1, MAX_PID), {
      meaning:
        "one of these three says which process is the app; default: the one that listens at APP_URL",
    }),
    pidfile: setting("APP_PIDFILE", anyText, {
      meaning: "a file that holds its process id",
    }),
    unit: setting("APP_UNIT", unitName, { meaning: "its systemd unit" }),
  },
  releaseFile: setting("APP_RELEASE_FILE", anyText, {
    meaning:
      "a JSON file with the running release; default: the version that the health page reports",
  }),
  sampleIntervalMs: setting("SAMPLE_INTERVAL_MS", ms(100), {
    default: 1000,
    meaning: "how often CPU, memory and health are reported",
  }),
  flags: FLAGS,
};

export type AgentConfig = ReturnType<typeof readConfig>;

/** @throws SettingsError */
export function readConfig(env: Environment) {
  const settings = new SettingsReader(env);
  const { app, ...config } = settings.read(SETTINGS);
  const names = ["APP_PID", "APP_PIDFILE", "APP_UNIT"];
  const { length } = names.filter((name) => settings.isSet(name));
  if (length > 1)
    settings.reject(
      `${length} of APP_PID, APP_PIDFILE and APP_UNIT are set: give one at most`,
    );
  settings.finish();
  const isCanary = config.target === "canary";
  const appUrl =
    config.appUrl ?? new URL(`http://127.0.0.1:${isCanary ? 3002 : 3001}`);
  return {
    ...config,
    port: config.port ?? (isCanary ? 3102 : 3101),
    appUrl,
    app: pointTo(app, appUrl),
  };
}

function pointTo(
  { pid, pidfile, unit }: ValuesOf<typeof SETTINGS.app>,
  url: URL,
): ProcessPointer {
  if (pid !== undefined) return { kind: "pid", pid };
  if (pidfile !== undefined) return { kind: "pidfile", path: pidfile };
  return unit === undefined
    ? { kind: "listener", url }
    : { kind: "unit", unit };
}
