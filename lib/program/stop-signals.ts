const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** Under npm, one Ctrl-C arrives twice: from the terminal and from npm, which forwards it. */
const ECHO_MS = 300;

/** Aborts at the first stop signal. The next one ends the process at once. */
export function abortOnSignals(stopping: AbortController): void {
  let stoppedAt: number | undefined;
  const stop = (signal: keyof typeof SIGNALS) => {
    stoppedAt ??= performance.now();
    stopping.abort();
    if (performance.now() - stoppedAt > ECHO_MS)
      process.exit(128 + SIGNALS[signal]);
  };
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[])
    process.on(signal, stop);
}
