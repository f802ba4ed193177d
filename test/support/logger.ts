import type { Logger } from "../../lib/program/log.js";

export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  data: object;
  message: string;
}

/** A logger that keeps its lines for tests. */
export function createMemoryLogger(): Logger & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const writer = (level: LogLine["level"]) => (data: object, message: string) =>
    void lines.push({ level, data, message });
  return {
    lines,
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}
