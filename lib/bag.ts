/** What can be in a bag: it carries its own place there, -1 while it is in none. */
export interface BagItem {
  slot: number;
}

/**
 * A set, in no order, for what comes and goes with each request. A Set grows a new table every few requests, and a table
 * that has been replaced still points to what was in it: once one is old, minor collections free none of that any more.
 */
export class Bag<T extends BagItem> {
  readonly #items: T[] = [];

  add(item: T): void {
    item.slot = this.#items.push(item) - 1;
  }

  /** @returns false when it was not there */
  delete(item: T): boolean {
    const { slot } = item;
    if (slot < 0 || this.#items[slot] !== item) return false;
    const last = this.#items.pop();
    item.slot = -1;
    if (last === undefined || last === item) return true;
    this.#items[slot] = last;
    last.slot = slot;
    return true;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }
}
