import { readFile } from "node:fs/promises";
import type { ProxyStatus } from "../../../apps/proxy/admin.js";
import { NOWHERE } from "./cli.js";
import { engineUnderTest } from "../http/engines.js";
import { spawnProgram, type Program } from "./program.js";
import { RawClient } from "../http/raw-client.js";
import { waitFor } from "../wait-for.js";

/** The proxy as its operators run it. */
export interface ProxyProgram extends Program {
  readonly port: number;
  readonly adminPort: number;
  readonly status: () => Promise<ProxyStatus>;
  /** Opens a raw connection to it. */
  readonly connect: (options?: { reading?: boolean }) => RawClient;
}

type Environment = Record<string, string>;

/** Starts it on free ports against the tests' Redis and waits until it listens; it ends with the test. */
export async function startProxyProgram(
  env: Environment,
  main?: URL,
): Promise<ProxyProgram> {
  const engine = engineUnderTest();
  const settings = {
    ADMIN_PORT: "0",
    // By default it is where somebody's `npm start` may have its own.
    CANARY_URLS: `http://${NOWHERE}`,
    ...(engine === undefined ? {} : { PROXY_ENGINE: engine }),
    ...env,
  };
  const program = spawnProgram("proxy", settings, main);
  const { port, adminPort } = await waitFor("the proxy to listen", () => {
    if (program.child.exitCode !== null)
      throw new Error(`the proxy ended: ${program.stderr()}`);
    return program.log.find(({ msg }) => msg === "proxy listens") as
      { port: number; adminPort: number } | undefined;
  });
  const status = async () => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/status`);
    return (await answer.json()) as ProxyStatus;
  };
  const connect: ProxyProgram["connect"] = (options) =>
    new RawClient(port, options);
  return { ...program, port, adminPort, status, connect };
}

/** Starts it and waits until nothing holds its canary back. */
export async function startOpenProxy(
  env: Environment,
  main?: URL,
): Promise<ProxyProgram> {
  const proxy = await startProxyProgram(env, main);
  await canaryToBe(proxy, null);
  return proxy;
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

/** The memory that the process holds, by Linux's account of it. */
export async function residentBytes({ pid }: ProxyProgram): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
