import { createServer, type Server } from "node:net";

/**
 * Below the ports that outgoing connections are given (from 32768 on Linux), so that a program that is started again
 * finds its own still free, and a connection attempt to it meanwhile cannot end up at itself.
 */
const RANGE = { from: 15_000, to: 32_000 };

/** Some of them are not listened on yet, and would look free. */
const given = new Set<number>();

/** A free port of loopback to listen on, now and again later; each is given once. */
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
