import { hostname, userInfo } from "node:os";
import type { FlipOutcome } from "../../../lib/flag/ledger.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { flipAndFollow } from "../../../lib/flag/receipts.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { readFlagFacts } from "../sources/redis-report.js";
import type { CommandContext } from "./command-context.js";

const MAX_REASON_CHARACTERS = 500;

/** `serin flag get` @throws if Redis is unreachable */
export async function showFlag(
  { config, link, output }: CommandContext,
  options: { json: boolean },
): Promise<ExitStatus> {
  const facts = await readFlagFacts(await link.open());
  const { value, garbled, by, reason, at } = facts;
  if (options.json)
    output.json({ name: config.flagName, value, garbled, by, reason, at });
  else output.line(wordFor(value));
  return EXIT.ok;
}

/** `serin flag on|off|toggle`: an operator's flip, which the monitor never undoes. @throws if Redis is unreachable */
export async function changeFlag(
  { link, output }: CommandContext,
  change: {
    value: boolean | "toggle";
    reason: string | undefined;
    operator: string;
  },
): Promise<ExitStatus> {
  const store = await link.open();
  const { operator } = change;
  const flip = {
    by: "operator",
    reason: readReason(change.reason) ?? `set with serin by ${operator}`,
    data: { operator },
  } as const;
  const { value, outcome, readEffect } = await flipAndFollow(
    store,
    change.value,
    flip,
  );
  output.line(describeOutcome(store.flagName, value, { outcome, ...flip }));
  const effect = await readEffect();
  if (effect.proxies === 0) throw new CliError(EXIT.problem, effect.sentence);
  const isConfirmed = effect.silent.length === 0;
  if (outcome === "changed" || !isConfirmed) output.line(effect.sentence);
  return isConfirmed ? EXIT.ok : EXIT.problem;
}

function describeOutcome(
  flagName: string,
  value: boolean,
  { outcome, reason }: { outcome: FlipOutcome; reason: string },
): string {
  const state = `${flagName} is ${wordFor(value)}`;
  if (outcome === "changed") return `${state}: ${reason}`;
  return outcome === "held"
    ? `${state} already, and stays off until an operator resumes it: ${reason}`
    : `${state} already: nothing was changed`;
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

function readReason(reason: string | undefined): string | undefined {
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
