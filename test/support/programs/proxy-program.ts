import { readFile } from "node:fs/promises";
import type { ProxyStatus } from "../../../apps/proxy/admin.js";
import { engineUnderTest } from "../http/engines.js";
import { RawClient } from "../http/raw-client.js";
import { waitFor } from "../wait-for.js";
import { NOWHERE } from "./cli.js";
import { spawnListening, type ProgramProcess } from "./program-process.js";
import {
  startProgram,
  type Environment,
  type LocalProgram,
  type Program,
} from "./program.js";

/** The proxy as its operators see it. */
export interface ProxyProgram extends Program {
  readonly adminPort: number;
  readonly status: () => Promise<ProxyStatus>;
  /** Opens a raw connection to it. */
  readonly connect: (options?: { reading?: boolean }) => RawClient;
}

export type ProxyProcess = ProxyProgram & ProgramProcess;

/** Starts it in this process on free ports against the tests' Redis and waits until it listens; it ends with the test. */
export async function startProxyProgram(
  env: Environment,
): Promise<ProxyProgram & LocalProgram> {
  return operate(await startProgram("proxy", withProxyDefaults(env)));
}

/** The same in a process of its own. @param main the program's own unless told */
export async function spawnProxyProgram(
  env: Environment,
  main?: URL,
): Promise<ProxyProcess> {
  return operate(await spawnListening("proxy", withProxyDefaults(env), main));
}

/** Starts it in this process and waits until nothing holds its canary back. */
export async function startOpenProxy(
  env: Environment,
): Promise<ProxyProgram & LocalProgram> {
  const proxy = await startProxyProgram(env);
  await canaryToBe(proxy, null);
  return proxy;
}

function withProxyDefaults(env: Environment): Environment {
  const engine = engineUnderTest();
  return {
    ADMIN_PORT: "0",
    // By default it is where somebody's `npm start` may have its own.
    CANARY_URLS: `http://${NOWHERE}`,
    ...(engine === undefined ? {} : { PROXY_ENGINE: engine }),
    ...env,
  };
}

function operate<P extends Program>(program: P): P & ProxyProgram {
  const listening = program.log.find(({ msg }) => msg === "proxy listens");
  const adminPort = Number(listening?.adminPort);
  const status = async () => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/status`);
    return (await answer.json()) as ProxyStatus;
  };
  const connect: ProxyProgram["connect"] = (options) =>
    new RawClient(program.port, options);
  return { ...program, adminPort, status, connect };
}

/** Waits until a reason that matches `because` holds the canary back; null waits until nothing does. */
export async function canaryToBe(
  proxy: ProxyProgram,
  because: RegExp | null,
  timeoutMs?: number,
): Promise<void> {
  await waitFor(
    `the canary to be ${because === null ? "open" : `closed: ${because.source}`}`,
    async () => {
      const { canary } = await proxy.status();
      return because === null
        ? canary.open
        : because.test(canary.because ?? "");
    },
    timeoutMs,
  );
}

/**
 * Waits until it deals this weight, in percent. A read that crosses the write may see the weight before Redis announces it, which
 * interrupts the dealing once more: another read has to follow.
 */
export async function weightToBe(
  proxy: ProxyProgram,
  percent: number,
): Promise<void> {
  let seenAt: number | undefined;
  await waitFor(`a weight of ${percent} %`, async () => {
    const { weight, canary, flag } = await proxy.status();
    if (weight !== percent || !canary.open) return false;
    seenAt ??= performance.now();
    return flag.confirmedAgoMs! < performance.now() - seenAt;
  });
}

/** The memory that the process holds, by Linux's account of it. */
export async function residentBytes({ pid }: ProgramProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
