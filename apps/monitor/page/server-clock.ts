/** Estimates the monitor's clock. The browser's own may be wrong or be adjusted while the page is open. */
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
