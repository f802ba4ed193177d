import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Environment } from "../../../lib/settings/settings.js";
import type { ServiceFile } from "../../../lib/service-file.js";
import { CliError, EXIT } from "../exit-status.js";
import { decrypt, encrypt, type Vault } from "./ansible-vault.js";
import { completeVault } from "./vault-content.js";

type Described = Pick<ServiceFile, "directory" | "service" | "env" | "redis">;

/** Where the vault of a service is. */
export function findVault(
  { directory, service }: Pick<Described, "directory" | "service">,
  env: Environment,
): Vault {
  const config = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), ".config");
  return {
    path: join(directory, "serin.vault.yml"),
    passwordFile:
      env.ANSIBLE_VAULT_PASSWORD_FILE ??
      join(config, "serin", `${service}.vault-password`),
  };
}

/**
 * Writes the vault and its password if they do not exist, and adds what serin.yml names and the vault lacks. Secrets are passed
 * to ansible-vault on its standard input only.
 *
 * @param say receives what was done, a sentence at a time @throws CliError if a secret has no value yet, or Ansible is missing
 */
export function prepareVault(
  file: Described,
  env: Environment,
  say: (sentence: string) => void,
): Vault {
  const vault = findVault(file, env);
  const isNew = !existsSync(vault.path);
  if (isNew) createPassword(vault.passwordFile, say);
  const old = isNew ? undefined : decrypt(vault, env);
  const { text, changed, unset } = complete(vault, old, { file, env });
  if (changed.length > 0) {
    encrypt(vault, text, env);
    say(
      isNew
        ? `wrote ${vault.path}, encrypted with the password in ${vault.passwordFile}: keep a copy of that`
        : `added to ${vault.path}: ${changed.join(", ")}`,
    );
  }
  requireValues(vault, unset);
  return vault;
}

/** @throws CliError if the vault or a secret of serin.yml is missing */
export function checkVault(file: Described, env: Environment): Vault {
  const vault = findVault(file, env);
  if (!existsSync(vault.path))
    throw new CliError(
      EXIT.usage,
      `${vault.path} does not exist: write it with \`serin setup\``,
    );
  // Without an environment: what would be added is missing.
  const { changed, unset } = complete(vault, decrypt(vault, env), {
    file,
    env: {},
  });
  requireValues(vault, [...new Set([...changed, ...unset])]);
  return vault;
}

function complete(
  { path }: Vault,
  old: string | undefined,
  { file, env }: { file: Described; env: Environment },
) {
  try {
    return completeVault(old, file, env);
  } catch (err) {
    // The text around the error may be a secret.
    const line = err instanceof Error ? err.message.split("\n")[0] : "";
    throw new CliError(EXIT.usage, `${path} is no valid YAML: ${line}`);
  }
}

function requireValues(vault: Vault, unset: readonly string[]): void {
  if (unset.length === 0) return;
  const { path, passwordFile } = vault;
  throw new CliError(
    EXIT.usage,
    [
      `${path} has no value for ${unset.join(", ")}. Set them in the environment of \`serin setup\`, or run`,
      `  ansible-vault edit --vault-password-file ${passwordFile} ${path}`,
    ].join("\n"),
  );
}

function createPassword(path: string, say: (sentence: string) => void): void {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const password = `${randomBytes(24).toString("hex")}\n`;
  writeFileSync(path, password, { flag: "wx", mode: 0o600 });
  say(`wrote ${path}, the password of the vault`);
}
