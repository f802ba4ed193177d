type CleanUp = () => unknown;

const pending: CleanUp[] = [];

/** Runs `cleanUp` after the current test, last registered first, whether the test passed or not. */
export function onCleanup(cleanUp: CleanUp): void {
  pending.push(cleanUp);
}

/** Runs what has been registered: mocha after each test, otherwise whoever runs the cases. */
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
