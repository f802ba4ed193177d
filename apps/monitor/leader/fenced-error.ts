/** Thrown when a write was refused because the lease no longer had the fence's value. */
export class FencedError extends Error {
  /** That the write named. */
  readonly fence: string;

  constructor(fence: string) {
    super("the lease is another monitor’s");
    this.fence = fence;
  }
}

/** @throws FencedError when the write that named `fence` had this outcome for it */
export function refuseFenced(outcome: unknown, fence: string): void {
  if (outcome === "fenced") throw new FencedError(fence);
}
