import {
  readSettings,
  setting,
  type Environment,
} from "../../../lib/settings/settings.js";
import {
  anyText,
  decimal,
  FORMS,
  text,
  wholeNumber,
} from "../../../lib/settings/values.js";

/** Read as ms. */
const seconds = decimal(0, 86_400)
  .transform((value) => 1000 * value)
  .meta({ description: "a number from 0 to 86400" });

/** Empty for the default. */
const branchName = text(
  "a branch's name, such as stable",
  new RegExp(`^$|${FORMS.branchName.source}`),
);

export const SETTINGS = {
  serviceFile: setting("SERIN_FILE", anyText, {
    default: "serin.yml",
    meaning: "the service's file; its folder is the service's",
  }),
  inventory: setting("SERIN_INVENTORY", anyText, {
    meaning: "a hand-written inventory for the playbooks, instead of serin.yml",
  }),
  repository: {
    repository: setting("SERIN_REPOSITORY", anyText, {
      default: "",
      meaning:
        "path or URL of the repository that holds stable; default: the remote origin, or this clone",
    }),
    branch: setting("SERIN_BRANCH", anyText, {
      default: "",
      meaning:
        "the release branch, which serin reject resets; default: main, or master if there is no main",
    }),
    stable: setting("SERIN_STABLE", branchName, {
      default: "",
      meaning:
        "the branch of the commit that prod runs; default: that of serin.yml, or stable, or stable-<service> in a repository of several services",
    }),
    jenkins: {
      commit: setting("GIT_COMMIT", anyText, {
        default: "",
        meaning:
          "the commit that is released by default, as Jenkins sets it; default: HEAD",
      }),
      build: setting("BUILD_URL", anyText, {
        default: "",
        meaning: "set by Jenkins: GIT_COMMIT must then be checked out",
      }),
    },
  },
  watch: {
    requests: setting("SERIN_WATCH_REQUESTS", wholeNumber(1, 1_000_000), {
      default: 50,
      meaning: "a canary with fewer requests is not judged",
    }),
    watchMs: setting("SERIN_WATCH_SECONDS", seconds, {
      default: 60,
      meaning: "how long serin release watches the canary at least",
    }),
    limitMs: setting("SERIN_WATCH_LIMIT_SECONDS", seconds, {
      default: 600,
      meaning: "after this long, too little is known of the canary",
    }),
    errorRatio: setting("SERIN_WATCH_ERROR_RATIO", decimal(0, 1), {
      default: 0.05,
      meaning: "a canary that fails a larger share of its requests is bad",
    }),
  },
};

/** @throws SettingsError */
export function readReleaseConfig(env: Environment) {
  const config = readSettings(env, SETTINGS);
  /** The commit to release by default. */
  const revision = config.repository.jenkins.commit || "HEAD";
  return { ...config, revision };
}
