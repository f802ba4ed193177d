const MAX_FREE = 64;
/** Below this, Node's own pool is cheaper. */
const LEAST_BYTES = 4096;

/**
 * Copies bytes for a write that outlives them. Large copies reuse buffers that earlier writes gave back, because allocating
 * costs more than copying.
 */
export class CopyBuffers {
  readonly #bufferBytes: number;
  readonly #free: Buffer[] = [];

  /** @param bufferBytes the size of a buffer; longer copies get their own memory */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /**
   * @param pieces joined into one copy
   * @param write calls `giveBack` when it is done with the copy; if it never does, only a buffer is lost
   * @returns the result of `write`
   */
  lend<T>(
    pieces: readonly Buffer[],
    write: (copy: Buffer, giveBack?: () => void) => T,
  ): T {
    let total = 0;
    for (const { length } of pieces) total += length;
    if (total < LEAST_BYTES || total > this.#bufferBytes)
      return write(Buffer.concat(pieces, total));
    const buffer =
      this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bufferBytes);
    let at = 0;
    for (const piece of pieces) at += piece.copy(buffer, at);
    return write(buffer.subarray(0, total), () => {
      if (this.#free.length < MAX_FREE) this.#free.push(buffer);
    });
  }
}
