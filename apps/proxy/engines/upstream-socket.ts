import { connect, type OnReadOpts, type Socket } from "node:net";

/** A body of 64 KiB comes with its head in a single read. */
export const READ_BUFFER_BYTES = 131_072;
/** Until the kernel asks a peer that says nothing whether it is still there. */
export const TCP_KEEP_ALIVE_MS = 15_000;

export class ConnectTimeoutError extends Error {}

/**
 * A TCP connection that fails with ConnectTimeoutError if it does not stand within `timeoutMs`.
 *
 * @param onread takes what arrives in place of `data` events
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
  // After a pause of this process its timers come first, and then word of a connection that has long stood.
  const timer = setTimeout(() => (nextTurn = setImmediate(giveUp)), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    clearImmediate(nextTurn);
  };
  socket.once("connect", stop).once("close", stop);
  return socket;
}
