/** Imported into a program, reports its CPU time over IPC, in µs. */
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
// The tap must not keep the program alive.
process.channel?.unref();
