/**
 * Installs the git hooks in this clone and reports what is still missing. The settings are stored in .git/config.
 *
 *     npm run hooks:install -- --jenkins-url http://jenkins:8080 [--repository-url /srv/serin.git] [--push-remote deploy]
 *       [--branch main] [--token-file ~/.config/serin/jenkins-token]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HOOKS = "hooks";
const SETTINGS = {
  "jenkins-url": "jenkinsUrl",
  "repository-url": "repositoryUrl",
  "push-remote": "pushRemote",
  "token-file": "tokenFile",
  branch: "branch",
};

class InstallError extends Error {}

const calledFrom = process.env.INIT_CWD ?? process.cwd();
process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** @returns the output of git, or undefined when it failed */
function git(...args) {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

const readSetting = (name) => git("config", "--get", `serin.${name}`);

function readOptions() {
  const options = Object.fromEntries(
    Object.keys(SETTINGS).map((name) => [name, { type: "string" }]),
  );
  try {
    return parseArgs({ options }).values;
  } catch (err) {
    throw new InstallError(err.message);
  }
}

/** Other hooks are never disabled. */
function enableHooks() {
  const gitDirectory = git("rev-parse", "--git-common-dir");
  if (gitDirectory === undefined)
    throw new InstallError("this is not a git clone");
  const current = git("config", "--get", "core.hooksPath");
  if (current === HOOKS) return;
  if (current !== undefined)
    throw new InstallError(
      `core.hooksPath is already ${current}: call ${HOOKS}/post-commit and ${HOOKS}/pre-commit from the hooks there`,
    );
  const own = join(gitDirectory, "hooks");
  const active = existsSync(own)
    ? readdirSync(own).filter((name) => !name.endsWith(".sample"))
    : [];
  if (active.length > 0)
    throw new InstallError(
      `${own} contains hooks that would no longer run: ${active.join(", ")}. Move them to ${HOOKS}/ or remove them`,
    );
  if (git("config", "core.hooksPath", HOOKS) === undefined)
    throw new InstallError("cannot write git config");
}

function storeSettings(options) {
  for (const [option, name] of Object.entries(SETTINGS)) {
    const value = options[option];
    if (value === undefined) continue;
    const stored = option === "token-file" ? resolve(calledFrom, value) : value;
    if (git("config", `serin.${name}`, stored) === undefined)
      throw new InstallError(`cannot store serin.${name}`);
  }
}

function* findGaps() {
  if (readSetting("jenkinsUrl") === undefined) {
    yield "no Jenkins to notify: npm run hooks:install -- --jenkins-url http://jenkins:8080";
    return;
  }
  const remote = readSetting("pushRemote");
  if (remote !== undefined && git("remote", "get-url", remote) === undefined)
    yield `the remote ${remote} does not exist: git remote add ${remote} …`;
  const token =
    readSetting("tokenFile") ?? join(homedir(), ".config/serin/jenkins-token");
  const stat = statSync(token, { throwIfNoEntry: false });
  if (stat === undefined)
    yield `no access token: (umask 077; mkdir -p "$(dirname ${token})"; cat > ${token}), paste it, Ctrl-D`;
  else if ((stat.mode & 0o077) !== 0)
    yield `other users can read the access token: chmod 600 ${token}`;
}

try {
  const options = readOptions();
  enableHooks();
  storeSettings(options);
  console.log(`installed the hooks of ${HOOKS}/ in this clone`);
  for (const gap of findGaps()) console.log(`still to do: ${gap}`);
} catch (err) {
  if (!(err instanceof InstallError)) throw err;
  console.error(`hooks:install: ${err.message}`);
  process.exitCode = 1;
}
