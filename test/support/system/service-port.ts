import { createServer, type Server } from "node:net";

/**
 * Below the ephemeral ports (from 32768 on Linux). A restarted program therefore finds its port free, and a client cannot
 * connect to itself in the meantime.
 */
const RANGE = { from: 15_000, to: 32_000 };

/** Ports already handed out, which may not be in use yet. */
const given = new Set<number>();

/** A free loopback port, for repeated use. Each port is returned once. */
export async function findServicePort(): Promise<number> {
  for (;;) {
    const port =
      RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server: Server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => {
      server.close(() => resolve(true));
    });
  });
}
