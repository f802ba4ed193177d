import { Option, type Command } from "commander";
import { parseLimit, parseMinutes } from "./arguments.js";
import type { ExitStatus } from "../exit-status.js";

/** The verbs of `serin rollout`, with their options as parsed. */
export interface RolloutCommands {
  start: (options: {
    candidate?: string;
    stable?: string;
    file: string;
    reason?: string;
  }) => Promise<ExitStatus>;
  status: (options: { json: boolean }) => Promise<ExitStatus>;
  change: (
    request:
      | { verb: "promote"; full: boolean }
      | { verb: "pause" | "resume" | "abort" | "retry" },
    reason: string | undefined,
  ) => Promise<ExitStatus>;
  check: (options: {
    file: string;
    passed: boolean;
    failed?: string;
  }) => Promise<ExitStatus>;
  wait: (options: {
    until: "Promoting" | "Healthy";
    timeout?: number;
  }) => Promise<ExitStatus>;
  history: (options: { limit: number; json: boolean }) => Promise<ExitStatus>;
}

type Add = (parent: Command, name: string, about: string) => Command;

/** Adds `serin rollout` and its verbs. */
export function addRollout(
  rollout: Command,
  add: Add,
  run: (
    command: (verbs: RolloutCommands) => Promise<ExitStatus>,
  ) => Promise<void>,
): void {
  const json = () =>
    new Option("--json", "print JSON, for programs").default(false);
  const reason = () =>
    new Option("-r, --reason <text>", "reason for the ledger and the mail");
  add(rollout, "start", "begin a rollout of the release on the canary")
    .option(
      "--candidate <release>",
      "another name than the canary hosts report",
    )
    .option("--stable <release>", "another name than the prod hosts report")
    .addOption(
      new Option(
        "--file <path>",
        "its steps; without one the default steps",
      ).default("serin.yml"),
    )
    .addOption(reason())
    .action((options: Parameters<RolloutCommands["start"]>[0]) =>
      run((verbs) => verbs.start(options)),
    );
  add(rollout, "status", "show the steps, what they wait for, and the release")
    .addOption(json())
    .action((options: Parameters<RolloutCommands["status"]>[0]) =>
      run((verbs) => verbs.status(options)),
    );
  add(rollout, "promote", "go on to the next step now")
    .option("--full", "past all steps: prod can get the release", false)
    .addOption(reason())
    .action(({ full, reason: why }: { full: boolean; reason?: string }) =>
      run((verbs) => verbs.change({ verb: "promote", full }, why)),
    );
  const others = [
    ["pause", "stay at this step and its weight"],
    ["resume", "go on after a pause"],
    ["abort", "stop the canary: all requests go to prod"],
    ["retry", "begin an aborted rollout again at its first step"],
  ] as const;
  for (const [verb, about] of others)
    add(rollout, verb, about)
      .addOption(reason())
      .action((options: { reason?: string }) =>
        run((verbs) => verbs.change({ verb }, options.reason)),
      );
  add(rollout, "check", "run the check of this step and report its result")
    .addOption(
      new Option("--file <path>", "it has the command").default("serin.yml"),
    )
    .option("--passed", "only report that it has passed", false)
    .option("--failed <why>", "only report that it has failed")
    .action((options: Parameters<RolloutCommands["check"]>[0]) =>
      run((verbs) => verbs.check(options)),
    );
  add(rollout, "wait", "follow the rollout, a line for each change")
    .addOption(
      new Option("--until <phase>", "the phase to wait for")
        .choices(["Promoting", "Healthy"])
        .default("Healthy"),
    )
    .option(
      "--timeout <minutes>",
      "how long at most (as long as it takes)",
      parseMinutes,
    )
    .action((options: Parameters<RolloutCommands["wait"]>[0]) =>
      run((verbs) => verbs.wait(options)),
    );
  add(rollout, "history", "show the rollouts of the ledger, newest first")
    .option("-n, --limit <number>", "maximum number", parseLimit, 10)
    .addOption(json())
    .action((options: Parameters<RolloutCommands["history"]>[0]) =>
      run((verbs) => verbs.history(options)),
    );
}
