import { hostname, userInfo } from "node:os";
import type { FlipOutcome } from "../../../lib/flag/ledger.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { flipAndFollow } from "../../../lib/flag/receipts.js";
import { flagName } from "../../../lib/settings/values.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { readFlagFacts } from "../sources/redis-report.js";
import type { CommandContext } from "./command-context.js";

const MAX_REASON_CHARACTERS = 500;

/** `serin flag get` @throws if Redis is unreachable */
export async function showFlag(
  { config, link, output }: CommandContext,
  options: { json: boolean; flag?: string },
): Promise<ExitStatus> {
  const store = await link.open();
  const gate = await readFlagFacts(store);
  const { flag: name = config.flagName } = options;
  requireFlagName(name);
  const isFurther = name !== config.flagName;
  const facts = isFurther
    ? await readFlagFacts({ ...store, flagName: name })
    : gate;
  const { garbled, by, reason, at } = facts;
  const isUnset = isFurther && !facts.isSet;
  // As the service's code sees it: further flags are off while the canary is stopped.
  const value = gate.value && facts.value;
  const shown = isUnset && gate.value ? null : value;
  if (options.json)
    output.json({ name, value: shown, garbled, by, reason, at });
  else output.line(shown === null ? "unset" : wordFor(shown));
  return EXIT.ok;
}

/** `serin flag on|off|toggle --flag`: one of the service's further flags. It leaves the canary alone. */
export async function changeFurtherFlag(
  { link, output }: CommandContext,
  { name, value, ...change }: FlagChange & { name: string },
): Promise<ExitStatus> {
  requireFlagName(name);
  const store = await link.open();
  const gate = await readFlagFacts(store);
  const { isSet, value: last } = await readFlagFacts({
    ...store,
    flagName: name,
  });
  const wanted = value === "toggle" ? !(isSet && last) : value;
  const flip = describeFlip(change);
  const isReasonGiven = change.reason !== undefined;
  const outcome = await store.ledger.flip(name, {
    ...flip,
    value: wanted,
    isFurther: true,
  });
  output.sentence(
    describeOutcome(name, wanted, { outcome, ...flip, isReasonGiven }),
  );
  if (wanted && !gate.value)
    output.sentence(
      `it stays off while the canary is stopped: ${store.flagName} is off`,
    );
  return EXIT.ok;
}

interface FlagChange {
  value: boolean | "toggle";
  reason: string | undefined;
  operator: string;
}

/** `serin flag on|off|toggle`: an operator's flip, which the monitor never undoes. @throws if Redis is unreachable */
export async function changeFlag(
  { link, output }: CommandContext,
  change: FlagChange,
): Promise<ExitStatus> {
  const store = await link.open();
  const flip = describeFlip(change);
  const isReasonGiven = change.reason !== undefined;
  const { value, outcome, readEffect } = await flipAndFollow(
    store,
    change.value,
    flip,
  );
  output.sentence(
    describeOutcome(store.flagName, value, { outcome, ...flip, isReasonGiven }),
  );
  const effect = await readEffect();
  if (effect.proxies === 0) throw new CliError(EXIT.problem, effect.sentence);
  const isConfirmed = effect.silent.length === 0;
  if (outcome === "changed" || !isConfirmed) output.sentence(effect.sentence);
  return isConfirmed ? EXIT.ok : EXIT.problem;
}

function requireFlagName(name: string): void {
  if (!flagName.safeParse(name).success)
    throw new CliError(EXIT.usage, `--flag: no flag can be named ${name}`);
}

function describeFlip({ operator, reason }: Omit<FlagChange, "value">) {
  return {
    by: "operator",
    reason: readReason(reason) ?? `set with serin by ${operator}`,
    data: { operator },
  } as const;
}

function describeOutcome(
  flagName: string,
  value: boolean,
  {
    outcome,
    reason,
    isReasonGiven,
  }: { outcome: FlipOutcome; reason: string; isReasonGiven: boolean },
): string {
  const state = `${flagName} is ${wordFor(value)}`;
  if (outcome === "changed") return `${state}: ${reason}`;
  if (outcome === "held")
    return `${state} already, and stays off until an operator resumes it: ${reason}`;
  const dropped = isReasonGiven ? ", and the reason was not recorded" : "";
  return `${state} already: nothing was changed${dropped}`;
}

/** The user's name for the ledger: `alice@edge1`, also under sudo. */
export function nameOperator(env: Environment): string {
  return `${env.SUDO_USER ?? loginName()}@${hostname()}`;
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // A user id without an account, as in some containers.
  }
}

/** Without control characters. @throws CliError if it is empty or too long */
export function readReason(reason: string | undefined): string | undefined {
  if (reason === undefined) return undefined;
  const text = toPlain(reason).trim();
  if (text.length >= 1 && text.length <= MAX_REASON_CHARACTERS) return text;
  throw new CliError(
    EXIT.usage,
    `--reason takes 1 to ${MAX_REASON_CHARACTERS} characters`,
  );
}

function wordFor(value: boolean): string {
  return value ? "on" : "off";
}
