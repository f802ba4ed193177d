/** Preloaded into a program together with `--expose-gc`: over IPC it answers any message with what the program holds. */
export interface Holdings {
  /** What JavaScript holds: its heap, and buffers outside of it. */
  heldBytes: number;
  timers: number;
  sockets: number;
}

process.on("message", () => {
  globalThis.gc?.();
  const resources = process.getActiveResourcesInfo();
  const count = (kind: RegExp) =>
    resources.filter((resource) => kind.test(resource)).length;
  const { heapUsed, external } = process.memoryUsage();
  const holdings: Holdings = {
    heldBytes: heapUsed + external,
    timers: count(/^(Timeout|Immediate)$/),
    sockets: count(/^TCP/),
  };
  process.send?.(holdings);
});
// The program's life is its own.
process.channel?.unref();
