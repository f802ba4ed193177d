import { join } from "node:path";
import type { ServiceFile } from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { listHosts } from "./inventory.js";
import { packageSerin } from "./packing/package-serin.js";
import {
  requireAnsible,
  runPlaybook,
  type Ansible,
} from "./playbooks/playbook.js";
import { checkVault, prepareVault } from "./vault.js";

export interface Setting {
  file: ServiceFile;
  /** A hand-written inventory, which has its own vault. */
  inventory: string | undefined;
  env: Environment;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Requires all that playbooks need on this machine, before anything is changed. @throws CliError */
export function prepareAnsible(
  { file, inventory, env, say }: Setting,
  isFirst = false,
): Ansible {
  requireAnsible(env);
  const parts = { serviceFile: file.path, inventory, env, say };
  if (inventory !== undefined) return { ...parts, vault: undefined };
  listHosts(file);
  const vault = isFirst ? prepareVault(file, env, say) : checkVault(file, env);
  return { ...parts, vault };
}

/**
 * Sets the hosts up: Redis, Node, Serin's programs. The first release brings the service.
 *
 * @param root the folder of Serin's package
 * @throws CliError
 */
export async function setUp(
  setting: Setting,
  { isCheck, root }: { isCheck: boolean; root: string },
): Promise<void> {
  const { file, signal, say } = setting;
  const ansible = prepareAnsible(setting, !isCheck);
  const artifacts = join(file.directory, "artifacts");
  const serin_artifact = packageSerin(root, artifacts);
  await runPlaybook(ansible, {
    ...{ playbook: "site", target: "setup", signal, isCheck },
    variables: { serin_artifact },
  });
  if (!isCheck) say("the hosts are set up. Next: serin release");
}

/**
 * @param release variables that name it; none for the one before, on each host
 * @returns the releases that prod's hosts run; with a hand-written inventory those of all hosts that were rolled back
 * @throws CliError
 */
export async function rollBack(
  setting: Setting,
  target: "canary" | "prod" | "both",
  release: Record<string, string>,
): Promise<Set<string>> {
  const { signal, say } = setting;
  const outcomes = await runPlaybook(prepareAnsible(setting), {
    ...{ playbook: "rollback", target, signal },
    variables: { target, ...release },
  });
  for (const [host, { changed, from, to }] of outcomes)
    say(changed ? `${host}: ${from} → ${to}` : `${host} runs ${to} already`);
  const canary = setting.file.servers?.canary ?? [];
  const ofProd = [...outcomes].filter(([host]) => !canary.includes(host));
  return new Set(ofProd.map(([, { to }]) => to));
}
