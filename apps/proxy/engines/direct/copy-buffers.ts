const MAX_FREE = 64;
/** Below this, what Node's own pool gives costs less than the detour. */
const LEAST_BYTES = 4096;

/**
 * Copies of bytes for a write that outlives them. A large one borrows a buffer that an earlier write has given back: fresh
 * memory costs more than the copying.
 */
export class CopyBuffers {
  readonly #bufferBytes: number;
  readonly #free: Buffer[] = [];

  /** @param bufferBytes the size of a buffer; what is longer gets memory of its own */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /**
   * @param pieces copied into one
   * @param write is to call `giveBack` when the copy is not needed any more; if it never does, a buffer is lost, no more
   * @returns what `write` returns
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
