import type { MonitorState } from "../../../apps/monitor/api/state.js";
import { waitFor } from "../wait-for.js";
import type { SteadyLoad } from "./steady-load.js";
import type { System } from "./system.js";

const DEADLINE_MS = 15_000;
/** Whoever was heard in this time lives. */
const RECENT_MS = 2000;

/** Waits until `pick` finds something in the state that a monitor tells, the first one unless told. */
export async function untilState<T>(
  system: System,
  what: string,
  pick: (state: MonitorState) => T | undefined | null | false,
  monitor = system.monitor,
): Promise<T> {
  return await waitFor(
    what,
    async () => {
      // It refuses while it has no Redis.
      const state = await system.state(monitor).catch(() => undefined);
      return state && pick(state);
    },
    DEADLINE_MS,
  );
}

/** Waits until everything works together: the canary gets its share, a monitor leads, and all are heard. */
export async function untilWhole(system: System): Promise<void> {
  await untilState(system, "the loop to close", ({ lease, ...heard }) => {
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

/** Waits until the canary has answered a request that was due after `sinceMs`. */
export async function untilCanaryServes(
  load: SteadyLoad,
  sinceMs = -Infinity,
): Promise<void> {
  await waitFor(
    "the canary to serve",
    () => load.byCanary.some(({ dueAt }) => dueAt > sinceMs),
    DEADLINE_MS,
  );
}

/** Waits until a request is answered that was due after `atMs`, and so until that moment has passed under load. */
export async function untilLoadIsPast(
  load: SteadyLoad,
  atMs: number,
): Promise<void> {
  await waitFor(
    "the load to go on",
    () => load.since(atMs).length > 0,
    DEADLINE_MS,
  );
}

/** Waits for so many mails, and then until none is left to be sent. */
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
