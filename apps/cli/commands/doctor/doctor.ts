import { readRunningSystems } from "../../../../lib/program/running-system.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { DEFAULT_SILENCE_MS } from "../../../../lib/telemetry/silence.js";
import type { CliConfig } from "../../config.js";
import { EXIT, type ExitStatus } from "../../exit-status.js";
import type { MonitorClient } from "../../sources/monitor-client.js";
import type { CommandContext } from "../command-context.js";
import { checkClock } from "./clock.js";
import { describeApiFailure, describeRedisFailure } from "./failure.js";
import { ok, printFindings, type Finding } from "./finding.js";
import { checkSameSystem, judgeMonitor } from "./monitor.js";
import { checkServer } from "./redis-server.js";
import { checkRights } from "./rights.js";
import { checkStore } from "./store.js";
import { checkMail } from "./test-mail.js";

/** `serin doctor`: checks everything it can reach and suggests remedies. */
export async function examine(
  parts: CommandContext,
  options: { json: boolean; sendTestMail: boolean; env: Environment },
): Promise<ExitStatus> {
  const { config, link, monitor, output } = parts;
  const state = await readMonitor(monitor);
  const findings = dropRepeated([
    describeSettings(config),
    ...(await examineRedis(parts, state, options.env)),
    ...("check" in state ? [state] : judgeMonitor(monitor, state)),
  ]);
  if (options.sendTestMail) findings.push(await checkMail(monitor, link));
  if (options.json) output.json(findings);
  else printFindings(findings, output);
  return toStatus(findings);
}

/** Without the findings whose cause another one names. */
function dropRepeated(findings: readonly Finding[]): Finding[] {
  const bad = findings.filter(({ level }) => level === "problem");
  const has = (...checks: string[]) =>
    bad.some(({ check }) => checks.includes(check));
  const isRepeated = ({ level, check }: Finding) =>
    level === "problem" &&
    ((check === "monitor" && has("lease")) ||
      (check === "mails" && has("mail", "webhook")));
  return findings.filter((finding) => !isRepeated(finding));
}

function describeSettings(config: CliConfig): Finding {
  const { keyPrefix, flagName, adminToken } = config;
  const token = adminToken === undefined ? "not set" : "set";
  return ok(
    "settings",
    `KEY_PREFIX=${keyPrefix} FLAG_NAME=${flagName}, ADMIN_TOKEN is ${token}`,
  );
}

/** The monitor's state, or why it cannot be read. */
async function readMonitor(
  monitor: MonitorClient,
): Promise<StateReport | Finding> {
  try {
    return await monitor.readState();
  } catch (err) {
    return describeApiFailure("api", err);
  }
}

async function examineRedis(
  parts: CommandContext,
  state: StateReport | Finding,
  env: Environment,
): Promise<Finding[]> {
  const { config, link, monitor } = parts;
  const isOfDev = readRunningSystems(env).some(
    ({ settings }) => settings.REDIS_URL === config.redisUrl,
  );
  const silenceMs = "check" in state ? DEFAULT_SILENCE_MS : state.silenceMs;
  const findings: Finding[] = [];
  try {
    const store = await link.open();
    const checks = [
      () => checkServer(store, { address: link.address, isOfDev }),
      () => checkRights(store),
      () => checkClock(store),
      () => checkStore(store, silenceMs),
      ...("check" in state ? [] : [() => checkSameSystem(store, monitor)]),
    ];
    for (const check of checks) findings.push(...(await check()));
  } catch (err) {
    const failure = describeRedisFailure("redis", err, link.address);
    // The check of the rights has already reported a missing right.
    if (
      !findings.some(({ level }) => level === "problem") ||
      failure.level !== "refused"
    )
      findings.push(failure);
  }
  return findings;
}

function toStatus(findings: readonly Finding[]): ExitStatus {
  const has = (level: Finding["level"]) =>
    findings.some((finding) => finding.level === level);
  if (has("unreachable")) return EXIT.unreachable;
  if (has("refused")) return EXIT.refused;
  return has("problem") ? EXIT.problem : EXIT.ok;
}
