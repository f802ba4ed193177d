import { whyNotSeveral } from "../../../apps/proxy/config.js";
import { createKeepAliveAgent, send } from "../http/http-client.js";
import type { Environment } from "../programs/program.js";
import {
  canaryToBe,
  spawnProxyProgram,
  type ProxyProcess,
} from "../programs/proxy-program.js";

/** Whether this Node supports several workers. If not, the proxy's error is tested instead. */
export const canHaveSeveral =
  whyNotSeveral(process.versions.node) === undefined;

/** A proxy program with workers that crash on request. */
export const UNRULY = new URL("./unruly-proxy.js", import.meta.url);

/** A proxy with two workers that crash on request, and an open canary. */
export async function startUnrulyProxy(
  env: Environment,
): Promise<ProxyProcess> {
  const proxy = await startUnopenedProxy(env);
  await canaryToBe(proxy, null);
  return proxy;
}

/** The same without waiting for its canary. */
export function startUnopenedProxy(env: Environment): Promise<ProxyProcess> {
  return spawnProxyProgram({ WORKERS: "2", ...env }, UNRULY);
}

/** Sends `total` requests over concurrent connections. @returns the side of each response, in order of arrival */
export async function sendMany(
  port: number,
  { total, connections }: { total: number; connections: number },
): Promise<(string | undefined)[]> {
  const agent = createKeepAliveAgent(connections);
  const servedBy: (string | undefined)[] = [];
  let left = total;
  const client = async () => {
    while (left-- > 0) servedBy.push((await send(port, { agent })).servedBy);
  };
  await Promise.all(Array.from({ length: connections }, client));
  return servedBy;
}

/** Sends `total` requests one by one, each on a new connection. @returns the side of each response */
export async function sendInTurn(
  port: number,
  total: number,
): Promise<(string | undefined)[]> {
  const servedBy: (string | undefined)[] = [];
  for (let sent = 0; sent < total; sent++)
    servedBy.push((await send(port)).servedBy);
  return servedBy;
}
