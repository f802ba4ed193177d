import {
  ADMIN_TOKEN,
  DASHBOARD_URL,
  STORE_SETTINGS,
} from "../../lib/settings/base-config.js";
import {
  readSettings,
  setting,
  type Environment,
  type ValuesOf,
} from "../../lib/settings/settings.js";
import { origin } from "../../lib/settings/values.js";

const webOrigin = origin(
  "an origin such as http://127.0.0.1:8090 or https://serin.example.com",
  "http:",
  "https:",
);

export const SETTINGS = {
  ...STORE_SETTINGS,
  monitorUrl: setting("MONITOR_URL", webOrigin, {
    default: "http://127.0.0.1:8090",
    meaning:
      "the monitor's API; serin release takes the first edge host's by default",
  }),
  /** Sent only with requests that change something on the monitor. */
  adminToken: ADMIN_TOKEN,
  /** For `serin open`. */
  dashboardUrl: DASHBOARD_URL,
};

export type CliConfig = ValuesOf<typeof SETTINGS>;

/** @throws SettingsError */
export function readConfig(env: Environment): CliConfig {
  return readSettings(env, SETTINGS);
}
