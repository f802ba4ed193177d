import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { CliError, EXIT } from "../../exit-status.js";

/** How long and by how much traffic a canary is watched. */
export interface WatchSettings {
  requests: number;
  watchMs: number;
  /** After this much the outcome is that too little is known. */
  limitMs: number;
  errorRatio: number;
}

/** Sums the canary's requests. The monitor's window slides, so only windows that do not overlap are added. */
export interface Tally {
  requests: number;
  errors: number;
  countedUntil: number;
}

/** @returns whether something was counted */
export function count(
  tally: Tally,
  { requests, errors, windowMs }: StateReport["sides"]["canary"],
  now: number,
): boolean {
  if (now - tally.countedUntil < windowMs) return false;
  tally.countedUntil = now;
  tally.requests += requests;
  tally.errors += errors;
  return true;
}

/** A canary that is bad. */
export function createRefusal(sentence: string): CliError {
  return new CliError(EXIT.problem, sentence);
}

/** A canary of which too little is known. */
export function createDoubt(sentence: string): CliError {
  return new CliError(EXIT.undecided, sentence);
}

/** @returns why the canary cannot be watched. The cause may be temporary, such as a restart or a change of leader. */
export function findObstacle({
  lease,
  obstacle,
  hosts,
}: StateReport): CliError | undefined {
  if (lease === null) {
    const why = obstacle ? ` (${obstacle})` : "";
    return createDoubt(`no monitor leads, so the canary is not watched${why}`);
  }
  const down = hosts.find(({ target, up }) => target === "canary" && !up);
  return down && createRefusal(`the service on ${down.host} is not running`);
}

/** @returns that the canary fails too many requests */
export function judgeErrors(
  { requests, errors }: Tally,
  settings: WatchSettings,
): CliError | undefined {
  if (requests < settings.requests || errors <= requests * settings.errorRatio)
    return undefined;
  return createRefusal(
    `the canary failed ${errors} of ${requests} requests, more than ${settings.errorRatio * 100} %`,
  );
}

/** @returns why the verdict does not say that the canary is healthy; undefined if it does, or if nothing is compared */
export function findDoubt(verdict: StateReport["verdict"]): string | undefined {
  if (verdict === null || verdict.outcome === "healthy") return undefined;
  const { outcome, because, odds, mode, canaryRequestsNeeded } = verdict;
  if (outcome === "worse")
    return `the verdict is "worse", evidence ${odds} (VERDICT=${mode})`;
  const needed = canaryRequestsNeeded ?? 0;
  const more = needed > 0 ? `, about ${needed} more canary requests` : "";
  return `the verdict is ${outcome ? `"${outcome}"` : "still open"}${because ? `: ${because}` : ""}${more}`;
}

export function describeTooLittle(
  { requests }: Tally,
  settings: WatchSettings,
  proxies: StateReport["proxies"],
): string {
  const closed = proxies.find(({ canaryOpen }) => canaryOpen === false);
  const why =
    closed === undefined
      ? ""
      : ` (${closed.id} keeps the canary closed: ${closed.because ?? "unknown why"})`;
  return `the canary got ${requests} of ${settings.requests} requests in ${settings.limitMs / 1000} s, too few to judge${why}`;
}
