import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisServerArgs } from "../../../apps/launcher/processes/redis-server.js";
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
  options: { port?: number } = {},
): Promise<PrivateRedis> {
  const port = options.port ?? (await findServicePort());
  const directory = mkdtempSync(join(tmpdir(), "serin-redis-"));
  // In its own process group, so that Ctrl-C in a terminal does not stop it before its users.
  const child = spawn("redis-server", redisServerArgs({ port, directory }), {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    await untilReady(child);
  } catch (err) {
    child.kill("SIGKILL");
    remove();
    throw err;
  }
  const exited = once(child, "exit").then(remove);
  const stop = () => {
    child.kill("SIGKILL");
    return exited;
  };
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid ?? 0, stop };
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (why: string) =>
      reject(new Error(`redis-server ${why}\n${output}`.trim()));
    const timer = setTimeout(fail, START_DEADLINE_MS, "did not become ready");
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000);
      if (!output.includes("Ready to accept connections")) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", (err) => {
      clearTimeout(timer);
      fail(`could not be run: ${err.message}`);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with status ${code}`);
    });
  });
}
