import {
  SettingsReader,
  type Environment,
} from "../../../lib/settings/settings.js";
import type { RepositorySettings } from "./repository/repository.js";
import type { WatchSettings } from "./watch/judgement.js";

export interface ReleaseConfig {
  /** The path of the service's file. */
  serviceFile: string;
  /** A hand-written inventory; undefined for serin.yml. */
  inventory: string | undefined;
  repository: Omit<RepositorySettings, "revision">;
  /** The commit to release by default. */
  revision: string;
  watch: WatchSettings;
}

/** @throws SettingsError */
export function readReleaseConfig(env: Environment): ReleaseConfig {
  const settings = new SettingsReader(env);
  const commit = settings.text("GIT_COMMIT", "");
  const config: ReleaseConfig = {
    serviceFile: settings.text("SERIN_FILE", "serin.yml"),
    inventory: settings.text("SERIN_INVENTORY", "") || undefined,
    repository: {
      repository: settings.text("SERIN_REPOSITORY", ""),
      branch: settings.text("SERIN_BRANCH", ""),
      stable: settings.text("SERIN_STABLE", "stable"),
      jenkins: { build: settings.text("BUILD_URL", ""), commit },
    },
    revision: commit || "HEAD",
    watch: readWatchSettings(settings),
  };
  settings.finish();
  return config;
}

function readWatchSettings(settings: SettingsReader): WatchSettings {
  const many = { min: 1, max: 1_000_000 };
  const seconds = { min: 0, max: 86_400 };
  return {
    requests: settings.integer("SERIN_WATCH_REQUESTS", many, 50),
    watchMs: 1000 * settings.decimal("SERIN_WATCH_SECONDS", seconds, 60),
    limitMs: 1000 * settings.decimal("SERIN_WATCH_LIMIT_SECONDS", seconds, 600),
    errorRatio: settings.decimal(
      "SERIN_WATCH_ERROR_RATIO",
      { min: 0, max: 1 },
      0.05,
    ),
  };
}
