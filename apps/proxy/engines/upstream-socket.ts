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
 * socket only after all that had arrived by then has been read, as the end of the stream shows.
 */
class UpstreamSocket extends Socket {
  #failedWrite: Error | undefined;

  override destroy(error?: NodeJS.ErrnoException): this {
    if (error?.syscall !== "write") return super.destroy(error);
    this.#failedWrite = error;
    return this;
  }

  override push(piece: Buffer | null, encoding?: BufferEncoding): boolean {
    if (piece !== null || this.#failedWrite === undefined)
      return super.push(piece, encoding);
    super.destroy(this.#failedWrite);
    return false;
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
  const socket = onBytes === undefined ? new Socket() : createReader(onBytes);
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

function createReader(
  onBytes: (bytes: Buffer, length: number) => boolean,
): Socket {
  const callback = (length: number) => onBytes(buffer, length);
  // Only the options of net.connect have it in the types.
  const options: { onread: OnReadOpts } = { onread: { buffer, callback } };
  return new UpstreamSocket(options as SocketConstructorOpts);
}
