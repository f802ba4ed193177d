import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../../lib/settings/settings.js";
import type { Clone } from "./clone.js";

/** What is still missing before a commit notifies Jenkins, with the remedy. */
export function* findGaps(
  { git, hook, byHusky }: Clone,
  env: Environment,
): Generator<string> {
  if (!byHusky && !isExecutable(hook))
    yield `git ignores ${hook}, because it is not executable: chmod +x ${hook}`;
  const readSetting = (name: string) => git("config", "--get", `serin.${name}`);
  if (readSetting("jenkinsUrl") === undefined) {
    yield "no Jenkins to notify: npx serin hooks install --jenkins-url http://jenkins:8080";
    return;
  }
  const remote = readSetting("pushRemote");
  if (remote !== undefined && git("remote", "get-url", remote) === undefined)
    yield `the remote ${remote} does not exist: git remote add ${remote} …`;
  const token =
    readSetting("tokenFile") ??
    join(env.HOME ?? homedir(), ".config/serin/jenkins-token");
  const stat = statSync(token, { throwIfNoEntry: false });
  if (stat === undefined)
    yield `no access token: (umask 077; mkdir -p "$(dirname ${token})"; cat > ${token}), paste it, Ctrl-D`;
  else if ((stat.mode & 0o077) !== 0)
    yield `other users can read the access token: chmod 600 ${token}`;
}

function isExecutable(path: string): boolean {
  return (statSync(path).mode & 0o100) !== 0;
}
