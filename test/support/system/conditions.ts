import type { MonitorState } from "../../../apps/monitor/api/state.js";
import { waitFor } from "../wait-for.js";
import type { SteadyLoad } from "./steady-load.js";
import type { System } from "./system.js";

const DEADLINE_MS = 15_000;
/** Members that were heard within this time count as alive. */
const RECENT_MS = 2000;

/** Waits until `pick` returns a value for the state of a monitor (default: the first). */
export async function untilState<T>(
  system: System,
  what: string,
  pick: (state: MonitorState) => T | undefined | null | false,
  monitor = system.monitor,
): Promise<T> {
  return await waitFor(
    what,
    async () => {
      // It returns an error while Redis is unreachable.
      const state = await system.state(monitor).catch(() => undefined);
      return state && pick(state);
    },
    DEADLINE_MS,
  );
}

/** Waits until the system is ready: the canary gets traffic, a monitor leads, and it hears all programs. */
export async function untilWhole(system: System): Promise<void> {
  await untilState(system, "the system to be ready", ({ lease, ...heard }) => {
    const proxies = heard.proxies.filter(isRecent);
    const hosts = heard.hosts.filter(isRecent);
    return (
      lease !== null &&
      proxies.some(({ canaryOpen }) => canaryOpen) &&
      hosts.filter(({ up }) => up).length === 2
    );
  });
}

function isRecent({ seenAt }: { seenAt: string }): boolean {
  return Date.now() - Date.parse(seenAt) < RECENT_MS;
}

/** Waits until the flag has this value for the proxy. */
export async function untilProxySees(
  system: System,
  value: boolean,
  timeoutMs?: number,
): Promise<void> {
  await waitFor(
    `the proxy to see the flag ${value}`,
    async () => (await system.proxyStatus()).flag.value === value,
    timeoutMs,
  );
}

/** Waits until the canary has served a request that was due after `sinceMs`. */
export async function untilCanaryServes(
  load: SteadyLoad,
  sinceMs = -Infinity,
): Promise<void> {
  await waitFor(
    "the canary to serve a request",
    () => load.byCanary.some(({ dueAt }) => dueAt > sinceMs),
    DEADLINE_MS,
  );
}

/** Waits until a request that was due after `atMs` has been answered. */
export async function untilLoadIsPast(
  load: SteadyLoad,
  atMs: number,
): Promise<void> {
  await waitFor(
    "the load to continue",
    () => load.since(atMs).length > 0,
    DEADLINE_MS,
  );
}

/** Waits for `count` mails, and then until the outbox is empty. */
export async function untilMailsArrive(
  system: System,
  count: number,
): Promise<void> {
  await waitFor(
    `${count} mails`,
    () => system.mailSink.mails.length >= count,
    DEADLINE_MS,
  );
  await waitFor(
    "the outbox to be empty",
    async () => (await system.redis.xlen(system.keys.outbox)) === 0,
    DEADLINE_MS,
  );
}
