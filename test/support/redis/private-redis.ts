import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisServerArgs } from "../../../apps/launcher/processes/redis-server.js";
import { Subprocess } from "../programs/subprocess.js";
import { findServicePort } from "../system/service-port.js";

const START_DEADLINE_MS = 10_000;

/** A private redis-server: on loopback, without files on disk. */
export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Kills it and waits for its end. May be called twice. */
  stop: () => Promise<void>;
}

/** @throws with its output if redis-server is not on the PATH or does not become ready */
export async function startPrivateRedis(
  options: { port?: number; args?: readonly string[] } = {},
): Promise<PrivateRedis> {
  const { args = [] } = options;
  const port = options.port ?? (await findServicePort());
  const directory = mkdtempSync(join(tmpdir(), "serin-redis-"));
  const server = new Subprocess(
    ["redis-server", ...redisServerArgs({ port, directory }), ...args],
    // So that Ctrl-C in a terminal does not stop it before its users.
    { env: process.env, isDetached: true },
  );
  const stop = async () => {
    await server.end();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await server.untilPrinted(/Ready to accept connections/, START_DEADLINE_MS);
  } catch (err) {
    await stop();
    throw err;
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid: server.pid, stop };
}
