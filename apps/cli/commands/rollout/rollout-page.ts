import type { LedgerEvent } from "../../../../lib/flag/ledger-event.js";
import { packedRelease } from "../../../../lib/program/release.js";
import {
  currentStep,
  isOver,
  type Rollout,
} from "../../../../lib/rollout/rollout.js";
import {
  describePhase,
  nameRollout,
} from "../../../../lib/rollout/describe-rollout.js";
import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { nameRelease } from "../../../../lib/wording/release-name.js";
import { describeSteps } from "../../../../lib/wording/rollout-steps.js";
import {
  formatClock,
  formatCount,
  formatSpan,
} from "../../../../lib/wording/units.js";
import { describeDeploy } from "../../sources/deploys.js";
import type { RolloutMoment } from "../../sources/state-source.js";
import { drawSentence, type Look, type Style } from "../../output.js";
import { layOutFacts } from "../../table.js";

/** What is known of a rollout. */
export interface RolloutFacts extends RolloutMoment {
  /** Of the candidate, where the ledger has one. */
  deploy: LedgerEvent | undefined;
  hosts: StateReport["hosts"];
  /** Of the verdict; undefined if the monitor does not answer. */
  evidence: string | undefined;
}

type Fact = [name: string, text: string];

/** `serin rollout status`: the sentence `Rollout 41 of 0.3.0 is Progressing …`, the steps, and the facts. */
export function drawRollout(facts: RolloutFacts, look: Look): string[] {
  const { rollout, now } = facts;
  const sentence = `${nameRollout(rollout)} ${describePhase(rollout, now)}`;
  return [
    ...drawSentence(styleOf(rollout), capitalise(toPlain(sentence)), look),
    ...drawSentence("bold", describeSteps(rollout, now), look),
    "",
    ...layOutFacts(listFacts(facts), look.width),
  ];
}

function styleOf({ phase, heldBy }: Rollout): Style {
  if (phase === "Aborted") return ["bold", "red"];
  const waits = phase === "Paused" || heldBy !== null;
  return ["bold", waits ? "yellow" : "green"];
}

function listFacts(facts: RolloutFacts): Fact[] {
  const { rollout, now, evidence, deploy } = facts;
  const { requests, on } = rollout.spec.analysis.harm;
  const at = (ms: number) => formatClock(new Date(ms), now);
  const present: Fact[] = [
    ["waits for", describeHold(facts)],
    ["evidence", evidence ?? "unknown without the monitor"],
  ];
  const listed: Fact[] = [
    ...(isOver(rollout) ? [] : present),
    [
      "harm",
      `${formatCount(rollout.harm)} of at most ${formatCount(requests)} requests, then ${on}`,
    ],
    [
      "release",
      deploy === undefined ? rollout.candidate : describeDeploy(deploy, now),
    ],
    ["instead of", nameRelease(rollout.stable) ?? rollout.stable],
    [
      "started",
      `${at(rollout.startedAt)}, ${formatSpan(now - rollout.startedAt)} ago`,
    ],
    ["last change", `${at(rollout.at)} by ${rollout.by}: ${rollout.reason}`],
    ["next", describeNext(rollout)],
  ];
  return listed.map(([name, text]) => [name, toPlain(text)]);
}

/** What keeps the rollout where it is. */
function describeHold({ rollout, now, hosts }: RolloutFacts): string {
  const { phase, heldBy, heldSince, candidate } = rollout;
  if (phase === "Promoting") {
    const prod = hosts.filter(({ target }) => target === "prod");
    const done = prod.filter(
      ({ version }) => version !== null && packedRelease(version) === candidate,
    );
    return `prod: ${done.length} of ${prod.length} instances run it`;
  }
  const step = currentStep(rollout);
  if (phase === "Paused")
    return step !== undefined && "pause" in step
      ? "a person, as this step says"
      : "a person, who paused it";
  if (heldBy !== null)
    return `${heldBy}, for ${formatSpan(now - (heldSince ?? now))}: ${rollout.reason}`;
  if (step === undefined || "pause" in step) return "nothing";
  const leftMs = rollout.stepStartedAt + step.forMs - now;
  const waits = [
    ...(leftMs > 0 ? [`its time, another ${formatSpan(leftMs + 999)}`] : []),
    ...(step.requests === undefined
      ? []
      : [`${formatCount(step.requests)} requests to the canary`]),
    ...(step.check === undefined || rollout.checked ? [] : ["its check"]),
  ];
  return waits.join(", and ") || "the monitor, which begins the next step";
}

function describeNext({ phase, spec, step }: Rollout): string {
  const isLast = step >= spec.rollout.steps.length - 1;
  switch (phase) {
    case "Progressing":
      return isLast
        ? "prod can get it; `serin rollout abort` stops it"
        : "the next step; `serin rollout abort` stops it";
    case "Paused":
      return "`serin rollout promote`, `resume` or `abort`";
    case "Promoting":
      return "the release to prod: `serin release` or your pipeline deploys it";
    case "Aborted":
      return "`serin rollout retry` begins again at the first step; another release starts a new rollout";
    case "Healthy":
    case "Superseded":
      return "the next release";
  }
}

function capitalise(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
