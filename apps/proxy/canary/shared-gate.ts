/**
 * If whoever knows the flag and the lease falls silent, all traffic goes to prod: what it leaves in the memory that all
 * threads share is not that the canary is open but until when, and each thread looks at the clock for itself.
 */
export class SharedGate {
  readonly #openUntil: BigInt64Array;
  readonly #now: () => number;

  /**
   * @param openUntil one cell, 0 before anything is known
   * @param now monotonic ms, the same in all threads
   */
  constructor(openUntil: BigInt64Array, now: () => number) {
    this.#openUntil = openUntil;
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#now() <= Number(Atomics.load(this.#openUntil, 0));
  }

  /** @param openForMs from now on; 0 or less closes it at once */
  publish(openForMs: number): void {
    const openUntil = openForMs > 0 ? Math.floor(this.#now() + openForMs) : 0;
    Atomics.store(this.#openUntil, 0, BigInt(openUntil));
  }
}
