import type { MonitorState } from "../../../apps/monitor/api/state.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import type { TestRedis } from "../redis/test-redis.js";
import { waitFor } from "../wait-for.js";
import { spawnListening, type ProgramProcess } from "./program-process.js";
import {
  startProgram,
  type Environment,
  type LocalProgram,
  type Program,
} from "./program.js";

/** The monitor as its operators see it. */
export interface MonitorProgram extends Program {
  state: () => Promise<MonitorState>;
  /** `query` as in `limit=5&kind=flip`; newest first. */
  events: (query?: string) => Promise<LedgerEvent[]>;
  /** Sends JSON to `POST /api/flags/feature`. */
  postFlag: (
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<Response>;
  /** How many mails its transport has taken. */
  mails: () => number;
  leads: () => boolean;
}

export type MonitorProcess = MonitorProgram & ProgramProcess;

/** How long a fleet may say nothing: longer than a busy machine may hold it up. */
export const SILENCE_MS = 4000;

/** Small windows and times, so that a test sees in seconds what takes minutes. */
const QUICK = {
  LATENCY_WINDOW_MS: "2000",
  COOLDOWN_MS: "1000",
  SILENCE_MS: String(SILENCE_MS),
  CPU_WINDOW_MS: "1000",
  ALERT_DELAY_MS: "0",
  ALERT_GROUP_MS: "500",
};

/** Starts one in this process on a free port and waits until it listens; it ends with the test. */
export async function startMonitorProgram(
  test: Pick<TestRedis, "keys">,
  env: Environment = {},
): Promise<MonitorProgram & LocalProgram> {
  return operate(await startProgram("monitor", quicken(test, env)));
}

/** Starts one in this process and waits until it leads. */
export async function startLeader(
  test: Pick<TestRedis, "keys">,
  env: Environment = {},
): Promise<MonitorProgram & LocalProgram> {
  return await leading(await startMonitorProgram(test, env));
}

/** Starts one in a process of its own and waits until it listens. */
export async function spawnMonitorProgram(
  test: Pick<TestRedis, "keys">,
  env: Environment = {},
): Promise<MonitorProcess> {
  return operate(await spawnListening("monitor", quicken(test, env)));
}

/** Starts one in a process of its own and waits until it leads. */
export async function spawnLeader(
  test: Pick<TestRedis, "keys">,
  env: Environment = {},
): Promise<MonitorProcess> {
  return await leading(await spawnMonitorProgram(test, env));
}

function quicken(test: Pick<TestRedis, "keys">, env: Environment): Environment {
  return { KEY_PREFIX: test.keys.prefix, ...QUICK, ...env };
}

async function leading<P extends MonitorProgram>(monitor: P): Promise<P> {
  await waitFor("the monitor to lead", () => monitor.leads(), 10_000);
  return monitor;
}

function operate<P extends Program>(program: P): P & MonitorProgram {
  const get = async (path: string) => {
    const response = await fetch(program.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return await response.json();
  };
  const last = (...messages: string[]) =>
    program.log.findLast(({ msg }) => messages.includes(msg))?.msg;
  return {
    ...program,
    state: async () => (await get("/api/state")) as MonitorState,
    events: async (query = "") =>
      (await get(`/api/events?${query}`)) as LedgerEvent[],
    postFlag: (body, headers = {}) =>
      fetch(`${program.url}/api/flags/feature`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    mails: () => program.log.filter(({ msg }) => msg === "mail sent").length,
    leads: () => last("leading", "no longer leading") === "leading",
  };
}
