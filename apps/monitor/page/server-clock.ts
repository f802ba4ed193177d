/** The monitor's clock, as far as it has been told: the browser's own may be wrong, or set while the page is open. */
export class ServerClock {
  #serverMs = Date.now();
  #toldAt = performance.now();

  tell(serverMs: number): void {
    this.#serverMs = serverMs;
    this.#toldAt = performance.now();
  }

  /** ms since the epoch */
  now(): number {
    return this.#serverMs + performance.now() - this.#toldAt;
  }
}
