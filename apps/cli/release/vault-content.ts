import { randomBytes } from "node:crypto";
import { parseDocument, Scalar } from "yaml";
import { isTemplate } from "./ansible-json.js";
import type { Environment } from "../../../lib/settings/settings.js";
import type { ServiceFile } from "../../../lib/service-file.js";

/** Stands for a value that a person has to give. */
const PLACEHOLDER = "CHANGE_ME";
const REDIS_USERS = ["app", "agent", "proxy", "monitor", "operator", "deploy"];
const NEW_VAULT = `# The secrets of the service, for its hosts. Also read, if present: serin_smtp_url, serin_alert_webhook_url,
# serin_alert_webhook_secret, serin_aws_access_key_id, serin_aws_secret_access_key.
serin_admin_token: ${PLACEHOLDER}
`;

export interface VaultContent {
  text: string;
  /** Variables that were added, or received a value. */
  changed: string[];
  /** Variables that still have no value. */
  unset: string[];
}

/**
 * Adds what the service needs and the vault lacks. Secrets between Serin's programs are random; those of the service come
 * from the environment.
 *
 * @param text undefined if there is no vault yet @throws if it is no YAML
 */
export function completeVault(
  text: string | undefined,
  file: Pick<ServiceFile, "env" | "redis">,
  env: Environment,
): VaultContent {
  const vault = parseDocument(text ?? NEW_VAULT);
  const problem = vault.errors[0];
  if (problem !== undefined) throw new Error(problem.message);
  const changed: string[] = [];
  const unset: string[] = [];
  for (const { path, value } of wantedSecrets(file, env)) {
    const present = vault.getIn(path) ?? undefined;
    if (present !== undefined && present !== PLACEHOLDER) continue;
    const name = path.at(-1) ?? "";
    if (value === undefined) unset.push(name);
    if (value === undefined && present !== undefined) continue;
    vault.setIn(path, createValue(value ?? PLACEHOLDER));
    changed.push(name);
  }
  return { text: vault.toString({ lineWidth: 0 }), changed, unset };
}

/** In quotes, because Ansible reads YAML 1.1: there a plain `off` is no text. */
function createValue(value: string): Scalar {
  const scalar = new Scalar(value);
  scalar.type = Scalar.QUOTE_DOUBLE;
  if (isTemplate(value)) scalar.tag = "!unsafe";
  return scalar;
}

function wantedSecrets(
  { env: { secret }, redis }: Pick<ServiceFile, "env" | "redis">,
  env: Environment,
): { path: string[]; value: string | undefined }[] {
  const random = () => randomBytes(24).toString("hex");
  const ofRedis =
    redis !== undefined && "url" in redis
      ? [{ path: ["serin_redis_url"], value: env.SERIN_REDIS_URL ?? redis.url }]
      : REDIS_USERS.map((user) => ({
          path: ["serin_redis_passwords", user],
          value: random(),
        }));
  const ofService = secret.map((name) => ({
    path: ["serin_service_secrets", name],
    value: env[name] === "" ? undefined : env[name],
  }));
  return [
    { path: ["serin_admin_token"], value: random() },
    ...ofRedis,
    ...ofService,
  ];
}
