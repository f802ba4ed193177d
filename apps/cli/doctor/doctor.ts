import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/keys.js";
import { parseEvent } from "../../../lib/ledger.js";
import type { CliConfig } from "../config.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import type { MonitorClient } from "../monitor-client.js";
import type { Output } from "../output.js";
import { explainRedisError, type RedisLink } from "../redis-link.js";
import { checkClock } from "./clock.js";
import { ok, type Finding } from "./finding.js";
import { checkMail, checkMonitor } from "./monitor.js";
import { printFindings } from "./print-findings.js";
import { checkServer } from "./redis-server.js";
import { checkRights } from "./rights.js";
import { checkStore } from "./store.js";

const MAIL_TIMEOUT_MS = 10_000;
const MAIL_POLL_MS = 200;
interface Parts {
  config: CliConfig;
  link: RedisLink;
  monitor: MonitorClient;
  keys: Keys;
  output: Output;
}

/** `serin doctor`: looks at everything it can reach, and says what to do about what it finds. */
export async function examine(
  parts: Parts,
  options: { json: boolean; sendTestMail: boolean },
): Promise<ExitStatus> {
  const { config, link, monitor, output } = parts;
  const findings = [
    describeSettings(config),
    ...(await examineRedis(parts)),
    ...(await checkMonitor(monitor, config.flagName)),
  ];
  if (options.sendTestMail)
    findings.push(
      await checkMail(monitor, (id) => waitForMail(link, parts.keys, id)),
    );
  if (options.json) output.json(findings);
  else printFindings(findings, output);
  return toStatus(findings);
}

function describeSettings(config: CliConfig): Finding {
  const { keyPrefix, flagName, adminToken } = config;
  const token = adminToken === undefined ? "not set" : "set";
  return ok(
    "settings",
    `KEY_PREFIX=${keyPrefix} FLAG_NAME=${flagName}, ADMIN_TOKEN is ${token}`,
  );
}

async function examineRedis(parts: Parts): Promise<Finding[]> {
  const { config, link, keys } = parts;
  const { flagName } = config;
  const findings: Finding[] = [];
  try {
    const redis = await link.open();
    const checks = [
      () => checkServer(redis, link.address),
      () => checkRights(redis, keys, flagName),
      () => checkClock(redis),
      () => checkStore({ redis, keys, flagName }),
    ];
    for (const check of checks) findings.push(...(await check()));
  } catch (err) {
    const explained = explainRedisError(err, link.address);
    if (!(explained instanceof CliError)) throw explained;
    // A missing right has been told of already, in better words.
    if (
      !findings.some(({ level }) => level === "problem") ||
      explained.status !== EXIT.refused
    )
      findings.push(describeRedisFailure(explained));
  }
  return findings;
}

function describeRedisFailure({ status, message }: CliError): Finding {
  const isRefused = status === EXIT.refused;
  return {
    check: "redis",
    level: isRefused ? "refused" : "unreachable",
    says: message,
    todo: isRefused
      ? "set user and password in REDIS_URL"
      : "set REDIS_URL, start Redis, or let this host through its firewall",
  };
}

/** Whether the outbox holds the mail for longer than a sound transport takes. */
async function waitForMail(
  link: RedisLink,
  keys: Keys,
  id: string,
): Promise<boolean> {
  const redis = await link.open();
  const deadline = performance.now() + MAIL_TIMEOUT_MS;
  while (await holdsMail(redis, keys, id)) {
    if (performance.now() > deadline) return true;
    await sleep(MAIL_POLL_MS);
  }
  return false;
}

async function holdsMail(
  redis: Redis,
  keys: Keys,
  id: string,
): Promise<boolean> {
  const mails = await redis.xrevrange(keys.outbox, "+", "-", "COUNT", 100);
  return mails.some(
    ([entry, fields]) => parseEvent(entry, fields)?.data.id === id,
  );
}

function toStatus(findings: readonly Finding[]): ExitStatus {
  const has = (level: Finding["level"]) =>
    findings.some((finding) => finding.level === level);
  if (has("unreachable")) return EXIT.unreachable;
  if (has("refused")) return EXIT.refused;
  return has("problem") ? EXIT.problem : EXIT.ok;
}
