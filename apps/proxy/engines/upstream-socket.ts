import { connect, type Socket } from "node:net";

/** Large enough for a head and a body of 64 KiB in one read. */
export const READ_BUFFER_BYTES = 131_072;
/** How long a peer may be silent before the kernel probes it. */
export const TCP_KEEP_ALIVE_MS = 15_000;

/** Shared by all connections: bytes are relayed or copied before the next read. */
const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

export class ConnectTimeoutError extends Error {}

/**
 * Opens a TCP connection, which fails with ConnectTimeoutError if it is not established within `timeoutMs`.
 *
 * @param onBytes receives the bytes instead of `data` events: the first `length` of `bytes`, which change with the next read.
 *   Returns false to pause until the socket is resumed.
 */
export function connectUpstream(
  { host, port }: { host: string; port: number },
  timeoutMs: number,
  onBytes?: (bytes: Buffer, length: number) => boolean,
): Socket {
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    ...(onBytes !== undefined && {
      onread: { buffer, callback: (length) => onBytes(buffer, length) },
    }),
  });
  const giveUp = () =>
    socket.destroy(
      new ConnectTimeoutError(
        `no connection to ${host}:${port} in ${timeoutMs} ms`,
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
