import { once } from "node:events";
import { connect } from "node:net";
import { onCleanup } from "../cleanup.js";
import { Subprocess } from "../programs/subprocess.js";

const LISTEN = `
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
`;
/** A loopback connection that is not established by then never will be. */
const HUNG_MS = 300;

/** A loopback address that neither accepts nor refuses connections: a stopped process with a full backlog. */
export async function startUnacceptingListener(): Promise<{ url: URL }> {
  const listener = new Subprocess([process.execPath, "-e", LISTEN], {
    name: "a listener",
    env: process.env,
  });
  onCleanup(() => listener.end());
  const [, port] = await listener.untilPrinted(/^(\d+)\n/);
  listener.child.kill("SIGSTOP");
  while (await connects(Number(port)));
  return { url: new URL(`http://127.0.0.1:${port!}`) };
}

/** Opens a connection and keeps it open. */
async function connects(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => socket.destroy());
  onCleanup(() => void socket.destroy());
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(HUNG_MS) });
    return true;
  } catch {
    return false;
  }
}
