import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_DEADLINE_MS = 10_000;
const PING_TIMEOUT_MS = 1000;
const PORT_TRIES = 100;
const LOWEST_PORT = 20_000;
/** Linux's; elsewhere they begin higher. */
const LOWEST_EPHEMERAL_PORT = 32_768;

/** A redis-server of our own: loopback only, nothing written to disk, gone when stopped. */
export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it at once and waits until it is gone. May be called twice. */
  stop: () => Promise<void>;
}

/** @throws when there is no redis-server on the PATH or it does not become ready, with its own words. */
export async function startPrivateRedis(
  options: { port?: number } = {},
): Promise<PrivateRedis> {
  const port = options.port ?? (await findFreePort());
  const directory = mkdtempSync(join(tmpdir(), "serin-redis-"));
  // Its own process group: Ctrl-C in a terminal must reach it last, through its owner.
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

/** Loopback only, and nothing written to disk. */
export function redisServerArgs(options: {
  port: number;
  directory: string;
}): string[] {
  const { port, directory } = options;
  return [
    ...["--port", String(port)],
    ...["--bind", "127.0.0.1"],
    ...["--save", ""],
    ...["--appendonly", "no"],
    ...["--dir", directory],
  ];
}

/** Whether the Redis on this port of loopback serves commands. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () =>
      socket.write("PING\r\n"),
    );
    socket.setTimeout(PING_TIMEOUT_MS, () => socket.destroy());
    socket.once("data", (answer) => {
      resolve(answer.toString().startsWith("+PONG"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

/**
 * A port that was free a moment ago, below those that systems give to outgoing connections: whoever takes it, even again
 * later, meets no connection that happened to get it.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = pickServicePort();
    if (await isFree(port)) return port;
  }
  throw new Error(`${PORT_TRIES} ports were tried and none is free`);
}

/** Any port, taken or free, that no system gives to an outgoing connection. */
export function pickServicePort(): number {
  return randomInt(LOWEST_PORT, LOWEST_EPHEMERAL_PORT);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
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
