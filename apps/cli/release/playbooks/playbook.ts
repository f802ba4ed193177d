import { delimiter, dirname, join } from "node:path";
import { packageRoot } from "../../../../lib/program/release.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import { CliError, EXIT } from "../../exit-status.js";
import { toAnsibleJson } from "../ansible-json.js";
import { findProgram, runProgram } from "../run-program.js";
import { Progress, type Outcome } from "./progress.js";

const COMMAND = "ansible-playbook";

/** What all playbooks of a service run with. */
export interface Ansible {
  /** The service's serin.yml. */
  serviceFile: string;
  /** A hand-written inventory; undefined for serin.yml. */
  inventory: string | undefined;
  vault: { path: string; passwordFile: string } | undefined;
  env: Environment;
  say: (line: string) => void;
}

export interface Play {
  /** Such as `deploy`. */
  playbook: string;
  /** Names the log. */
  target: string;
  variables: Record<string, string>;
  /** Changes nothing, and reports what would change. */
  isCheck?: boolean;
  signal: AbortSignal;
}

/** A playbook that failed, with what it did until then. */
export class PlaybookError extends CliError {
  readonly outcomes: ReadonlyMap<string, Outcome>;

  constructor(
    status: 1 | 2 | 3,
    message: string,
    outcomes: ReadonlyMap<string, Outcome>,
  ) {
    super(status, message);
    this.outcomes = outcomes;
  }
}

/** @throws CliError if Ansible is missing */
export function requireAnsible(env: Environment): void {
  if (findProgram(env.PATH ?? "", COMMAND) !== undefined) return;
  throw new CliError(
    EXIT.usage,
    `there is no ${COMMAND} on the PATH: install ansible-core (apt-get install ansible-core, or pipx install ansible-core)`,
  );
}

/** @returns the outcome by host @throws PlaybookError, or the signal's reason */
export async function runPlaybook(
  ansible: Ansible,
  play: Play,
): Promise<ReadonlyMap<string, Outcome>> {
  const { serviceFile, say } = ansible;
  const folder = join(dirname(serviceFile), "artifacts", "logs");
  const log = join(folder, `${play.playbook}-${play.target}.log`);
  const progress = new Progress(say);
  say(`${play.playbook} ${play.target}: all of Ansible's output is in ${log}`);
  const status = await runProgram({
    command: COMMAND,
    args: listArguments(ansible, play),
    cwd: dirname(serviceFile),
    env: describeEnvironment(ansible),
    ...{ log, signal: play.signal, onLine: progress.add },
  });
  if (play.signal.aborted) throw new Interruption(progress.outcomes);
  if (status === 0) return progress.outcomes;
  throw explain(progress, log);
}

/** A playbook that a signal ended. */
export class Interruption extends CliError {
  readonly outcomes: ReadonlyMap<string, Outcome>;

  constructor(outcomes: ReadonlyMap<string, Outcome>) {
    super(EXIT.interrupted, "interrupted");
    this.outcomes = outcomes;
  }
}

function listArguments(
  { inventory, vault }: Ansible,
  { playbook, variables, isCheck = false }: Play,
): string[] {
  const root = join(packageRoot(), "ansible");
  return [
    ...["-i", inventory ?? join(root, "inventory", "serin")],
    ...(vault === undefined
      ? []
      : ["--vault-password-file", vault.passwordFile, "-e", `@${vault.path}`]),
    ...["-e", toAnsibleJson(variables)],
    ...(isCheck ? ["--check"] : []),
    join(root, `${playbook}.yml`),
  ];
}

function describeEnvironment({ env, serviceFile }: Ansible): Environment {
  const root = join(packageRoot(), "ansible");
  return {
    ...env,
    // The inventory needs Node. Last, because the folder may hold another Ansible.
    PATH: `${env.PATH ?? ""}${delimiter}${dirname(process.execPath)}`,
    SERIN_FILE: serviceFile,
    ANSIBLE_CONFIG: join(root, "ansible.cfg"),
    ANSIBLE_CALLBACK_PLUGINS: join(root, "callback_plugins"),
    ANSIBLE_CALLBACKS_ENABLED: "serin_progress",
    ANSIBLE_NOCOLOR: "1",
  };
}

/** Only a release that the role rejects is bad. Whatever else fails is a fault of the hosts or of this machine. */
function explain(progress: Progress, log: string): PlaybookError {
  const { failures, unreachable, rejections, outcomes } = progress;
  const reasons = [...failures].map(([host, reason]) =>
    unreachable.has(host)
      ? `${host} cannot be reached: ${reason}. Check servers and ssh in serin.yml`
      : `${host}: ${reason}`,
  );
  const onlyAway = failures.size > 0 && failures.size === unreachable.size;
  if (reasons.length === 0) reasons.push(`Ansible failed: see ${log}`);
  const ofHosts = onlyAway ? EXIT.unreachable : EXIT.usage;
  return new PlaybookError(
    rejections.size > 0 ? EXIT.problem : ofHosts,
    reasons.join("\n"),
    outcomes,
  );
}
