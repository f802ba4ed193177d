import { writeFileSync } from "node:fs";
import type { LedgerEvent } from "../../lib/flag/ledger-event.js";
import { announceSystem } from "../../lib/program/running-system.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";
import { originOf } from "./addresses.js";
import { waitForCanary } from "./canary-wait.js";
import type { LaunchContext } from "./launch-context.js";
import { connectLedger } from "./ledger.js";
import { previewMail, startMailbox } from "./mailbox.js";
import type { ProgramSpec } from "./processes/child.js";
import {
  describeAgent,
  describeMonitor,
  describeProxy,
  describeRedis,
  redisUrlOf,
  releaseFileOf,
  type Layout,
} from "./processes/programs.js";
import {
  describeService,
  type Source,
  type Sources,
} from "./processes/service.js";
import { Supervisor } from "./processes/supervisor.js";
import { welcome } from "./screen/welcome.js";

/** Slightly more than the programs' drain time. */
const EDGE_GRACE_MS = 1500;
/** For programs that stop after the edge, when no requests are in flight. */
const CORE_GRACE_MS = 500;

/**
 * Starts all programs in the order of their dependencies, and shows the welcome screen when they are ready.
 *
 * @returns the canary's supervisor; undefined if the user runs the canary
 * @throws LaunchError for errors that the user can fix, or the signal's reason
 */
export async function launch(
  layout: Layout,
  sources: Sources,
  context: LaunchContext & { onEvent: (event: LedgerEvent) => void },
): Promise<Supervisor | undefined> {
  const { config, ports } = layout;
  const { screen, signal } = context;
  const start = (
    what: string,
    specs: readonly ProgramSpec[],
    graceMs: number,
  ) =>
    screen.during(`Starting ${what}`, () =>
      startGroup(specs, graceMs, context),
    );
  const agents = SIDES.map((side) => {
    const { health } = sources[side]?.service ?? layout.service;
    return describeAgent(side, layout, health.path);
  });
  const edge = [describeProxy(layout), describeMonitor(layout)];

  if (config.redisUrl === undefined)
    await start("Redis", [describeRedis(layout)], CORE_GRACE_MS);
  const showEvents = await connectLedger(layout, context, context.onEvent);
  if (config.hasMailbox) await openMailbox(layout, context);
  const apps = SIDES.flatMap((side) => describeSide(side, layout, sources));
  const services = await start("the service", apps, CORE_GRACE_MS);
  // Agents and monitor stop before the service, so that they do not report it as down.
  const around = [...agents, ...edge];
  await start("agents, proxy and monitor", around, EDGE_GRACE_MS);

  const admin = originOf(config.adminHost, ports.admin);
  const proxyStatus = await screen.during("Opening the canary", () =>
    waitForCanary(`${admin}/status`, signal),
  );
  // Start before the screen suggests commands, so that it shows their events.
  await showEvents();
  announce(layout, context);
  screen.show(await welcome(layout, sources, proxyStatus));
  return sources.canary === undefined ? undefined : services.at(-1);
}

/** Lets `serin` find the system in other terminals. */
function announce(
  layout: Layout,
  { screen, closers }: Pick<LaunchContext, "screen" | "closers">,
): void {
  const { config, ports, service } = layout;
  const system = {
    service: service.service,
    file: service.path,
    settings: {
      REDIS_URL: redisUrlOf(layout),
      KEY_PREFIX: config.keyPrefix,
      FLAG_NAME: config.flagName,
      MONITOR_URL: originOf(config.host, ports.monitor),
    },
  };
  try {
    closers.add("addresses", announceSystem(system, config.env));
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    screen.event("warning", `serin in other terminals needs REDIS_URL: ${why}`);
  }
}

/** Tells the side's agent the release. */
export function writeRelease(
  side: Side,
  { workspace }: Layout,
  { release }: Source,
): void {
  writeFileSync(releaseFileOf(side, workspace), JSON.stringify({ release }));
}

function describeSide(
  side: Side,
  layout: Layout,
  sources: Sources,
): ProgramSpec[] {
  const source = sources[side];
  if (source === undefined) return [];
  writeRelease(side, layout, source);
  return [describeService(side, source, layout)];
}

/** Programs that start together also stop together. */
async function startGroup(
  specs: readonly ProgramSpec[],
  graceMs: number,
  { screen, reaper, closers, signal }: LaunchContext,
): Promise<Supervisor[]> {
  const supervisors = specs.map(
    (spec) => new Supervisor(spec, reaper, screen.event),
  );
  const stop = async () => {
    await Promise.all(supervisors.map((one) => one.stop(graceMs)));
  };
  closers.add(specs.map(({ name }) => name).join(", "), stop);
  await Promise.all(supervisors.map((one) => one.start(signal)));
  return supervisors;
}

async function openMailbox(
  { ports, workspace }: Layout,
  { screen, closers }: LaunchContext,
): Promise<void> {
  const mailbox = await startMailbox({
    port: ports.smtp,
    directory: workspace.mails,
    onMail: (mail) =>
      screen.event("mail", `to ${mail.to}: ${mail.subject}`, {
        under: [...previewMail(mail), mail.file],
      }),
  });
  closers.add("mailbox", () => mailbox.close());
}
