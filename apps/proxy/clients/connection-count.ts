/** How many clients are connected. */
export interface ConnectionCount {
  readonly open: number;
  /** @returns how many there are with it */
  add: () => number;
  remove: () => void;
}

/** Those of this thread alone. */
export class LocalConnectionCount implements ConnectionCount {
  #open = 0;

  get open(): number {
    return this.#open;
  }

  add(): number {
    this.#open += 1;
    return this.#open;
  }

  remove(): void {
    this.#open -= 1;
  }
}

/** Those of all threads together, and beside them those of one, which end with it. */
export class SharedConnectionCount implements ConnectionCount {
  readonly #total: Int32Array;
  readonly #own: Int32Array;

  /** @param total one cell for all threads @param own one for the thread that counts */
  constructor(total: Int32Array, own: Int32Array) {
    this.#total = total;
    this.#own = own;
  }

  get open(): number {
    return Atomics.load(this.#total, 0);
  }

  add(): number {
    Atomics.add(this.#own, 0, 1);
    return Atomics.add(this.#total, 0, 1) + 1;
  }

  remove(): void {
    Atomics.sub(this.#own, 0, 1);
    Atomics.sub(this.#total, 0, 1);
  }

  /** The thread has ended, and its connections with it, whether it has said so or not. */
  removeAll(): void {
    Atomics.sub(this.#total, 0, Atomics.exchange(this.#own, 0, 0));
  }
}
