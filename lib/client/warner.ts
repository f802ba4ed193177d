import type { Logger } from "../program/log.js";

/**
 * Warns in one line per finding. The two connections to Redis lose it for the same reason, which is said once. Of an error it
 * says the message alone: a library's may hold the password of the command that failed.
 */
export function createWarner(onWarning: (line: string) => void): Logger {
  let last = "";
  const warn = (data: object, message: string) => {
    const line = `serin: ${[message, ...reasonsIn(data)].join(": ")}`;
    if (line === last) return;
    last = line;
    onWarning(line);
  };
  return {
    debug: () => undefined,
    info: () => (last = ""),
    warn,
    error: warn,
  };
}

function reasonsIn(data: object): string[] {
  const { err, because, flag } = data as Record<string, unknown>;
  const reason = err instanceof Error ? err.message : because;
  return [flag, reason].filter((text) => typeof text === "string");
}
