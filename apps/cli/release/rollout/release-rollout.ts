import {
  currentStep,
  isOver,
  type Rollout,
} from "../../../../lib/rollout/rollout.js";
import { fromRolloutReport } from "../../../../lib/rollout/rollout-report.js";
import { checkOf, toFileTerms } from "../../../../lib/rollout/spec.js";
import type { ServiceFile } from "../../../../lib/service-file.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import {
  followRollout,
  type RolloutReading,
} from "../../commands/rollout/follow-rollout.js";
import { placeCheck, runCheck } from "../../commands/rollout/run-check.js";
import type { MonitorClient } from "../../sources/monitor-client.js";
import { runPlaybook, type Ansible } from "../playbooks/playbook.js";

/** Beyond the time of its steps. */
const PATIENCE_MS = 600_000;
/** Agents report each second. */
const SEEN_ON_PROD_MS = 120_000;

export interface ReleaseRolloutOptions {
  ansible: Ansible;
  monitor: MonitorClient;
  file: ServiceFile;
  env: Environment;
  /** The release that the hosts get. */
  candidate: string;
  /** How long prod may be waited for; undefined for the time of the steps and ten minutes. */
  limitMs: number | undefined;
  signal: AbortSignal;
  say: (line: string) => void;
}

/**
 * The rollout of a release, from the machine that releases it: read from the monitor's API, which needs no token, and steered
 * by the CLI on an edge host, through Ansible.
 */
export class ReleaseRollout {
  readonly #options: ReleaseRolloutOptions;

  constructor(options: ReleaseRolloutOptions) {
    this.#options = options;
  }

  /**
   * Starts it before the canary gets the release, so that a new release never meets the share that SPLIT gives. The monitor
   * holds the first step until the canary runs it. One that goes on is followed.
   */
  async start(stable: string): Promise<void> {
    const { candidate, file, say } = this.#options;
    const { rollout } = await this.#readOwn();
    if (rollout?.candidate === candidate && !isOver(rollout)) {
      say(`rollout ${rollout.id} of this release goes on`);
      return;
    }
    const names = ["--candidate", candidate, "--stable", stable];
    const blocks = toFileTerms(file);
    try {
      await this.#steer("start", [...names, "--file", "/dev/stdin"], {
        rollout_file: JSON.stringify({ service: "s", run: "-", ...blocks }),
      });
    } catch (err) {
      // It may have begun.
      await this.abort("the release ended when its rollout had started");
      throw err;
    }
  }

  /** Waits until prod may get the release, and runs checks. @throws CliError */
  async untilPromoting(): Promise<void> {
    const { file, limitMs } = this.#options;
    const steps = file.rollout.steps.map((step) =>
      "pause" in step ? 0 : step.forMs,
    );
    const wholeMs = steps.reduce((sum, one) => sum + one, PATIENCE_MS);
    await this.#follow("Promoting", limitMs ?? wholeMs);
  }

  /** Waits until the monitor has seen the release on all prod hosts. @throws CliError */
  async untilHealthy(): Promise<void> {
    await this.#follow("Healthy", SEEN_ON_PROD_MS);
  }

  /** Reports a failure, but does not throw: the roll-back that follows matters more. */
  async abort(reason: string): Promise<void> {
    try {
      const { rollout } = await this.#readOwn();
      if (rollout === undefined || isOver(rollout)) return;
      if (rollout.candidate !== this.#options.candidate) return;
      // The first Ctrl-C has been heard; another one ends this process.
      const { signal } = new AbortController();
      const line = reason.slice(0, 400).replaceAll("\n", " ");
      await this.#steer("abort", ["--reason", line], {}, signal);
    } catch (err) {
      const why = err instanceof Error ? err.message : String(err);
      this.#options.say(`the rollout could NOT be aborted: ${why}`);
    }
  }

  async #follow(
    until: "Promoting" | "Healthy",
    limitMs: number,
  ): Promise<void> {
    const { signal, say } = this.#options;
    await followRollout({
      ...{ until, limitMs, signal, say },
      read: async () => {
        const reading = await this.#readOwn();
        if (reading.rollout !== undefined) await this.#check(reading.rollout);
        return reading;
      },
    });
  }

  async #readOwn(): Promise<RolloutReading> {
    const state = await this.#options.monitor.readOwnState();
    const { rollout } = state;
    return {
      now: Date.parse(state.now),
      ...(rollout && { rollout: fromRolloutReport(rollout) }),
    };
  }

  /** Runs the check of the step, once the canary runs the release. */
  async #check(rollout: Rollout): Promise<void> {
    const { candidate, file, env, say, signal } = this.#options;
    const command = checkOf(currentStep(rollout));
    const isDue =
      rollout.candidate === candidate &&
      rollout.phase === "Progressing" &&
      rollout.heldBy !== "version" &&
      !rollout.checked;
    if (!isDue || command === undefined) return;
    // A rollout that was started elsewhere may have other steps.
    if (checkOf(file.rollout.steps[rollout.step]) !== command) return;
    say(`check: ${command}`);
    const failure = await runCheck({
      command,
      ...placeCheck(file, { release: candidate, env }),
      ...{ say, signal },
    });
    await this.#steer(
      "check",
      failure === undefined ? ["--passed"] : ["--failed", failure],
    );
  }

  async #steer(
    verb: string,
    options: readonly string[],
    variables: Record<string, string> = {},
    signal = this.#options.signal,
  ): Promise<void> {
    const { ansible } = this.#options;
    await runPlaybook(ansible, {
      ...{ playbook: "rollout", target: verb, signal },
      variables: {
        rollout_verb: verb,
        rollout_options: JSON.stringify(options),
        ...variables,
      },
    });
  }
}
