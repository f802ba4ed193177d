import type { Harm } from "../telemetry/harm.js";
import { formatCount, formatSpan } from "./units.js";

/** `163 canary requests · 163 users waited · prod untouched` */
export function describeHarm(harm: Harm): string {
  const { requests, waited, failed, rescued, prodFailed, inMs } = harm;
  const met = [
    waited > 0 && `${formatUsers(waited)} waited`,
    failed > 0 && `${formatUsers(failed)} got an error`,
    rescued > 0 && `prod answered ${formatCount(rescued)} in its place`,
    waited + failed === 0 && "no user noticed",
  ].filter((part) => part !== false);
  const span = inMs === undefined ? "" : ` in ${formatSpan(inMs)}`;
  return [
    `${formatCount(requests)} canary requests${span}`,
    ...met,
    prodFailed === 0
      ? "prod untouched"
      : `prod failed ${formatCount(prodFailed)} requests`,
  ].join(" · ");
}

function formatUsers(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "user" : "users"}`;
}
