import { connect, type OnReadOpts, type Socket } from "node:net";

/** Large enough for a head and a body of 64 KiB in one read. */
export const READ_BUFFER_BYTES = 131_072;
/** How long a peer may be silent before the kernel probes it. */
export const TCP_KEEP_ALIVE_MS = 15_000;

export class ConnectTimeoutError extends Error {}

/**
 * Opens a TCP connection, which fails with ConnectTimeoutError if it is not established within `timeoutMs`.
 *
 * @param onread receives the bytes instead of `data` events
 */
export function connectUpstream(
  address: { host: string; port: number },
  timeoutMs: number,
  onread?: OnReadOpts,
): Socket {
  const socket = connect({
    host: address.host,
    port: address.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    ...(onread === undefined ? {} : { onread }),
  });
  const giveUp = () =>
    socket.destroy(
      new ConnectTimeoutError(
        `no connection to ${address.host}:${address.port} in ${timeoutMs} ms`,
      ),
    );
  let nextTurn: NodeJS.Immediate | undefined;
  // After a pause of the process, timers fire before the event of a connection that was established in time.
  const timer = setTimeout(() => (nextTurn = setImmediate(giveUp)), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    clearImmediate(nextTurn);
  };
  socket.once("connect", stop).once("close", stop);
  return socket;
}
