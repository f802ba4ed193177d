import { availableParallelism } from "node:os";

const MAX_WORKERS = 128;

/** `auto` is one for each core that this process may use. */
export function parseWorkers(text: string): number | undefined {
  if (text === "auto") return Math.min(MAX_WORKERS, availableParallelism());
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return workers >= 1 && workers <= MAX_WORKERS ? workers : undefined;
}

/**
 * Several threads can listen on one port only by `reusePort`, which came to Node with 22.12 and 23.1.
 *
 * @param version such as 22.12.0
 * @returns what is missing, if anything
 */
export function whyNotSeveral(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough =
    major >= 24 ||
    (major === 23 && minor >= 1) ||
    (major === 22 && minor >= 12);
  return isEnough
    ? undefined
    : `more than 1 takes Node 22.12, 23.1 or later, and this is ${version}`;
}
