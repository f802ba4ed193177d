/** An item stores its own position in the bag, -1 while it is in none. */
export interface BagItem {
  slot: number;
}

/**
 * An unordered set for objects that live as long as a request. A Set would allocate a new table every few requests, and a
 * replaced table in the old generation keeps its former items alive through minor collections.
 */
export class Bag<T extends BagItem> {
  readonly #items: T[] = [];

  add(item: T): void {
    item.slot = this.#items.push(item) - 1;
  }

  /** @returns false if the item was not in the bag */
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
