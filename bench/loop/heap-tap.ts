/** Preloaded into a program together with `--expose-gc`: over IPC it answers any message with its live heap in bytes. */
process.on("message", () => {
  globalThis.gc?.();
  process.send?.(process.memoryUsage().heapUsed);
});
// The program's life is its own.
process.channel?.unref();
