import {
  readSettings,
  setting,
  type Environment,
} from "../../../lib/settings/settings.js";
import { anyText, FORMS, text } from "../../../lib/settings/values.js";

/** Empty for the default. */
const branchName = text(
  "a branch's name, such as stable",
  new RegExp(`^$|${FORMS.branchName.source}`),
);

/** Read as ms; empty for the default. */
const minutes = text(
  "a number of minutes, such as 30",
  /^(\d{1,4}(\.\d{1,3})?)?$/,
).transform((value) => (value === "" ? undefined : 60_000 * Number(value)));

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
  waitMs: setting("SERIN_WAIT_MINUTES", minutes, {
    default: "",
    meaning:
      "how long serin release waits for the steps of the rollout; default: their time and 10 minutes",
  }),
};

/** @throws SettingsError */
export function readReleaseConfig(env: Environment) {
  const config = readSettings(env, SETTINGS);
  /** The commit to release by default. */
  const revision = config.repository.jenkins.commit || "HEAD";
  return { ...config, revision };
}
