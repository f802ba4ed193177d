import { waitFor } from "./wait-for.js";

/** How many looks in a row, 10 ms apart, must see the same value. */
const LOOKS = 30;

/** Waits until a number has grown above 0 and then stands still, and returns it. */
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
      return value > 0 && seen >= LOOKS ? value : undefined;
    },
    15_000,
  );
}
