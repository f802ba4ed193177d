/** Preloaded into a program with `--expose-gc`. It answers any IPC message with the resources that the program holds. */
export interface Holdings {
  /** The JavaScript heap and external buffers. */
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
// Does not keep the program alive.
process.channel?.unref();
