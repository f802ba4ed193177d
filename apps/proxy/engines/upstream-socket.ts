import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";

/** Large enough for a head and a body of 64 KiB in one read. */
export const READ_BUFFER_BYTES = 131_072;
/** How long a peer may be silent before the kernel probes it. */
export const TCP_KEEP_ALIVE_MS = 15_000;

/** Shared by all connections: bytes are relayed or copied before the next read. */
const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

export class ConnectTimeoutError extends Error {}

/**
 * An upstream may answer a request early and reset the connection, which then fails the next write. Such a failure ends the
 * socket only after everything that had arrived by then has been read.
 */
class UpstreamSocket extends Socket {
  override destroy(error?: NodeJS.ErrnoException): this {
    if (error?.syscall !== "write" || this.destroyed)
      return super.destroy(error);
    this.#readBefore(() => super.destroy(error));
    return this;
  }

  #readBefore(end: () => void, bytesBefore?: number): void {
    // Between two of these there is a poll for input.
    setImmediate(() => {
      if (this.bytesRead === bytesBefore) end();
      else this.#readBefore(end, this.bytesRead);
    });
  }
}

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
  // Not in the types of the constructor, but only in those of net.connect.
  const options: { onread?: OnReadOpts } = {};
  if (onBytes !== undefined) {
    const callback = (length: number) => onBytes(buffer, length);
    options.onread = { buffer, callback };
  }
  const socket = new UpstreamSocket(options as SocketConstructorOpts);
  socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  socket.connect({ host, port });
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
