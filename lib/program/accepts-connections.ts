import { once } from "node:events";
import { connect } from "node:net";

/** Whether something accepts TCP connections at a URL's host and port. Never throws. */
export async function acceptsConnections(
  { hostname, port }: URL,
  signal: AbortSignal,
): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(port || "80") });
  const accepted = await once(socket, "connect", { signal }).then(
    () => true,
    () => false,
  );
  socket.on("error", () => undefined).destroy();
  return accepted;
}
