import { followEvents } from "../../lib/flag/event-feed.js";
import {
  describeEvent,
  type LedgerEvent,
} from "../../lib/flag/ledger-event.js";
import { createKeys } from "../../lib/redis/keys.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import { SIDES } from "../../lib/telemetry/telemetry.js";
import { originOf } from "./addresses.js";
import { waitForCanary } from "./canary-wait.js";
import { LaunchError } from "./config.js";
import type { ProgramSpec } from "./processes/child.js";
import { previewMail, startMailbox } from "./mailbox.js";
import {
  describeAgent,
  describeApp,
  describeMonitor,
  describeProxy,
  describeRedis,
  redisUrlOf,
  type Layout,
} from "./processes/programs.js";
import { Reaper } from "./processes/reaper.js";
import { createScreenLogger, type Screen } from "./screen.js";
import { Supervisor } from "./processes/supervisor.js";
import { describeTraffic, Traffic, TRAFFIC_SUMMARY } from "./traffic.js";
import { welcome } from "./welcome.js";

const REDIS_TIMEOUT_MS = 2000;
/** Slightly more than the programs' drain time. */
const EDGE_GRACE_MS = 1500;
/** For programs that stop after the edge, when no requests are in flight. */
const CORE_GRACE_MS = 500;

export interface LaunchContext {
  screen: Screen;
  /** Receive each resource as it opens, even if the start fails later. */
  closers: Closers;
  /** Aborts the start. */
  signal: AbortSignal;
}

/**
 * Starts all programs in the order of their dependencies, and shows the welcome screen when they are ready.
 *
 * @throws LaunchError for errors that the user can fix, or the signal's reason
 */
export async function launch(
  layout: Layout,
  context: LaunchContext,
): Promise<void> {
  const { config, ports } = layout;
  const { screen, signal } = context;
  const startGroup = createStarter(context);
  const agents = SIDES.map((side) => describeAgent(side, layout));
  const apps = SIDES.map((side) => describeApp(side, layout));
  const edge = [describeProxy(layout), describeMonitor(layout)];

  screen.show("Starting apps, agents, proxy and monitor …");
  if (config.redisUrl === undefined)
    await startGroup([describeRedis(layout)], CORE_GRACE_MS);
  const ledger = await connectLedger(layout, context);
  if (config.hasMailbox) await openMailbox(layout, context);
  await startGroup(apps, CORE_GRACE_MS);
  // Agents and monitor stop before the apps, so that they do not report the apps as down.
  await startGroup([...agents, ...edge], EDGE_GRACE_MS);

  const admin = originOf(config.adminHost, ports.admin);
  const proxyStatus = await waitForCanary(`${admin}/status`, signal);
  // Start before the screen suggests commands, so that it shows their events.
  await ledger();
  screen.show(welcome(layout, proxyStatus));
}

/** Sends a load through the proxy and reports results every ten seconds. */
export function startTraffic(layout: Layout, context: LaunchContext): void {
  const { screen, closers } = context;
  const traffic = new Traffic({
    url: originOf(layout.config.host, layout.ports.proxy),
    onReport: (report) => screen.event("traffic", describeTraffic(report)),
    onEnd: () => screen.event("traffic", "ended"),
  });
  closers.add("traffic", () => traffic.close());
  traffic.start();
  screen.event("traffic", TRAFFIC_SUMMARY);
}

/** Programs that start together also stop together. */
function createStarter({ screen, closers, signal }: LaunchContext) {
  const reaper = new Reaper();
  closers.add("reaper", () => reaper.close());
  return async (specs: readonly ProgramSpec[], graceMs: number) => {
    const supervisors = specs.map(
      (spec) => new Supervisor(spec, reaper, screen.event),
    );
    const stop = async () => {
      await Promise.all(supervisors.map((one) => one.stop(graceMs)));
    };
    closers.add(specs.map(({ name }) => name).join(", "), stop);
    await Promise.all(supervisors.map((one) => one.start(signal)));
  };
}

/** Connects to Redis. @returns what shows the ledger's new events until the launcher stops */
async function connectLedger(
  layout: Layout,
  { screen, closers, signal }: LaunchContext,
): Promise<() => Promise<void>> {
  const url = redisUrlOf(layout);
  const logger = createScreenLogger(screen);
  const redis = createRedis({ url, name: "launcher", logger });
  closers.add("Redis", () => redis.disconnect());
  const keys = createKeys(layout.config.keyPrefix);
  const onEvent = (event: LedgerEvent) => {
    if (signal.aborted) return;
    const at = new Date(event.at);
    screen.event(event.kind, describeEvent(event), { at });
  };
  if (await waitForRedis(redis, REDIS_TIMEOUT_MS))
    return async () =>
      closers.add("ledger", await followEvents({ redis, keys, onEvent }));
  throw new LaunchError(
    `no Redis answers at ${new URL(url).host}: start it, set REDIS_URL to another Redis, or unset REDIS_URL for a private one`,
  );
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
