import { resolve } from "node:path";
import type { Commands } from "../line/command-line.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { readConfig } from "../config.js";
import type { ExitStatus } from "../exit-status.js";
import { installHooks, uninstallHooks } from "../hooks/hooks.js";
import { initService } from "../init/init.js";
import { Output, type OutputStream } from "../output.js";
import { withRunningSystem } from "../running-system.js";
import { MonitorClient } from "../sources/monitor-client.js";
import { explainRedisError, RedisLink } from "../sources/redis-link.js";
import type { CommandContext } from "./command-context.js";
import { runDev } from "./dev.js";
import { examine } from "./doctor/doctor.js";
import { showEvents } from "./events.js";
import {
  changeFlag,
  changeFurtherFlag,
  nameOperator,
  showFlag,
} from "./flag.js";
import { openDashboard } from "./open.js";
import { changeRollout } from "./rollout/change-rollout.js";
import { checkRollout, reportCheck } from "./rollout/check-rollout.js";
import { waitForRollout } from "./rollout/follow-rollout.js";
import { showRolloutHistory } from "./rollout/rollout-history.js";
import { showRollout } from "./rollout/show-rollout.js";
import { startRollout } from "./rollout/start-rollout.js";
import { showPlan } from "./plan.js";
import { showReleases } from "./releases.js";
import { showStatus } from "./status-page.js";
import { watchLive, watchPiped } from "./watch.js";
import { explainFlip } from "./why.js";

export interface CommandsContext {
  env: Environment;
  /** The working directory. */
  cwd: string;
  /** A terminal whose keys steer `serin dev`. */
  stdin?: NodeJS.ReadStream;
  stdout: OutputStream;
  stderr: OutputStream;
  /** Called by commands that run until stopped. A signal ends the process of the others. */
  stopSignal: () => AbortSignal;
}

/** The commands that need settings, Redis or the monitor. */
export function createCommands(context: CommandsContext): Commands {
  const { env, cwd, stdout, stderr, stopSignal } = context;
  const output = new Output(stdout, env);
  const clone = { cwd, env, say: output.line };
  const warn = (sentence: string) => stderr.write(`serin: ${sentence}\n`);

  /** Reads the settings, runs a command, and closes its connection. */
  async function run(
    command: (context: CommandContext) => Promise<ExitStatus>,
  ): Promise<ExitStatus> {
    const config = readConfig(withRunningSystem(env, { cwd, warn }));
    const link = new RedisLink(config);
    const monitor = new MonitorClient(config);
    try {
      return await command({ config, link, monitor, output });
    } catch (err) {
      throw explainRedisError(err, link.address);
    } finally {
      link.close();
    }
  }

  return {
    init: (options) => initService(clone, options),
    dev: (options) => runDev(options, context),
    status: (options) => run((parts) => showStatus(parts, options)),
    watch: () =>
      run((parts) =>
        output.terminal === undefined
          ? watchPiped(parts, stopSignal())
          : watchLive(parts, output.terminal, stopSignal()),
      ),
    getFlag: (options) => run((parts) => showFlag(parts, options)),
    setFlag: (value, { reason, flag: name }) =>
      run((parts) => {
        const change = { value, reason, operator: nameOperator(env) };
        return name === undefined || name === parts.config.flagName
          ? changeFlag(parts, change)
          : changeFurtherFlag(parts, { ...change, name });
      }),
    rollout: {
      start: ({ candidate, stable, reason, file }) =>
        run((parts) =>
          startRollout(parts, {
            ...{ candidate, stable, reason },
            ...{ file: resolve(cwd, file), operator: nameOperator(env) },
          }),
        ),
      status: (options) => run((parts) => showRollout(parts, options)),
      change: (request, reason) =>
        run((parts) =>
          changeRollout(parts, request, {
            ...{ reason, operator: nameOperator(env) },
          }),
        ),
      check: ({ file, passed, failed }) =>
        run((parts) => {
          const person = { operator: nameOperator(env), reason: failed };
          return passed || failed !== undefined
            ? reportCheck(parts, passed, person)
            : checkRollout(parts, {
                ...{ file: resolve(cwd, file), env, ...person },
                signal: stopSignal(),
              });
        }),
      wait: ({ until, timeout = Infinity }) =>
        run((parts) =>
          waitForRollout(parts, {
            ...{ until, limitMs: timeout * 60_000, signal: stopSignal() },
          }),
        ),
      history: (options) => run((parts) => showRolloutHistory(parts, options)),
    },
    events: (options) =>
      run((parts) =>
        showEvents(parts, {
          ...options,
          kind: options.kind,
          since: options.since,
          signal: options.follow ? stopSignal() : undefined,
          warn,
        }),
      ),
    releases: (options) => run((parts) => showReleases(parts, options)),
    open: () => run((parts) => openDashboard(parts, env)),
    why: (event, options) =>
      run((parts) => explainFlip(parts, { ...options, event })),
    plan: (options) => run((parts) => showPlan(parts, options)),
    doctor: (options) => run((parts) => examine(parts, { ...options, env })),
    installHooks: (settings) => installHooks(clone, settings),
    uninstallHooks: () => uninstallHooks(clone),
  };
}
