import {
  parseHttpOrigin,
  readAdminToken,
  readStoreConfig,
  type StoreConfig,
} from "../../lib/settings/base-config.js";
import {
  SettingsReader,
  type Environment,
} from "../../lib/settings/settings.js";

export interface CliConfig extends StoreConfig {
  monitorUrl: URL;
  /** Sent only with requests that change something on the monitor. */
  adminToken: string | undefined;
}

/** @throws SettingsError */
export function readConfig(env: Environment): CliConfig {
  const settings = new SettingsReader(env);
  const config: CliConfig = {
    ...readStoreConfig(settings),
    monitorUrl: settings.parsed(
      "MONITOR_URL",
      "an origin such as http://127.0.0.1:8090 or https://serin.example.com",
      (value) => parseHttpOrigin(value, ["http:", "https:"]),
      new URL("http://127.0.0.1:8090"),
    ),
    adminToken: readAdminToken(settings),
  };
  settings.finish();
  return config;
}
