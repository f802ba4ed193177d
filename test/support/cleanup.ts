type CleanUp = () => unknown;

const pending: CleanUp[] = [];

/** Runs `cleanUp` after the current test, even if the test fails. The last one registered runs first. */
export function onCleanup(cleanUp: CleanUp): void {
  pending.push(cleanUp);
}

/** Runs the registered clean-ups. Mocha calls it after each test; other runners must call it themselves. */
export async function runCleanups(): Promise<void> {
  const failures: unknown[] = [];
  for (
    let cleanUp = pending.pop();
    cleanUp !== undefined;
    cleanUp = pending.pop()
  ) {
    try {
      await cleanUp();
    } catch (err) {
      failures.push(err);
    }
  }
  if (failures.length > 0) throw failures[0];
}
