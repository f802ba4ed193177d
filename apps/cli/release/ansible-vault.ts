import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { CliError, EXIT } from "../exit-status.js";

export interface Vault {
  /** Beside serin.yml, encrypted. */
  path: string;
  passwordFile: string;
}

/** @throws CliError */
export function decrypt(vault: Vault, env: Environment): string {
  if (!existsSync(vault.passwordFile))
    throw new CliError(
      EXIT.usage,
      `the password of ${vault.path} is missing: copy it to ${vault.passwordFile}, or name its file in ANSIBLE_VAULT_PASSWORD_FILE`,
    );
  const encrypted = readFileSync(vault.path, "utf8");
  return runVault(vault, ["decrypt", "--output", "-"], {
    input: encrypted,
    env,
  });
}

/** Replaces the vault as a whole. @throws CliError */
export function encrypt(vault: Vault, text: string, env: Environment): void {
  const encrypted = runVault(vault, ["encrypt", "--output", "-"], {
    input: text,
    env,
  });
  writeFileSync(`${vault.path}.new`, encrypted, { mode: 0o600 });
  renameSync(`${vault.path}.new`, vault.path);
}

/** @returns its output */
function runVault(
  { path, passwordFile }: Vault,
  args: string[],
  { input, env }: { input: string; env: Environment },
): string {
  const ansible = {
    ANSIBLE_CONFIG: join(packageRoot(), "ansible", "ansible.cfg"),
    ANSIBLE_VAULT_PASSWORD_FILE: passwordFile,
    ANSIBLE_VAULT_IDENTITY_LIST: "",
  };
  const { error, status, stdout, stderr } = spawnSync("ansible-vault", args, {
    ...{ input, encoding: "utf8", env: { ...env, ...ansible } },
  });
  if (error !== undefined)
    throw new CliError(
      EXIT.usage,
      `ansible-vault cannot start (${error.message}): install ansible-core (apt-get install ansible-core, or pipx install ansible-core)`,
    );
  if (status === 0) return stdout;
  throw new CliError(
    EXIT.usage,
    `ansible-vault cannot ${args[0] ?? ""} ${path} with the password in ${passwordFile}: ${stderr.trim().split("\n").at(-1) ?? ""}`,
  );
}
