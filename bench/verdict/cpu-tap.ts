/** Has the program that it is imported into tell over IPC how much CPU time it has used, in µs. */
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
// The program’s life is its own.
process.channel?.unref();
