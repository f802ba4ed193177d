import { waitFor } from "./wait-for.js";

/** How many successive reads, 10 ms apart, must return the same value. */
const READS = 30;

/** Waits until a number is above 0 and no longer changes, and returns it. */
export async function settledValue(
  what: string,
  read: () => number,
): Promise<number> {
  let last = 0;
  let seen = 0;
  return await waitFor(
    what,
    () => {
      const value = read();
      seen = value === last ? seen + 1 : 0;
      last = value;
      return value > 0 && seen >= READS ? value : undefined;
    },
    15_000,
  );
}
