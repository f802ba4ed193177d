import { pino } from "pino";

/** What modules need of a logger: data first, then the sentence. */
export interface Logger {
  debug: (data: object, message: string) => void;
  info: (data: object, message: string) => void;
  warn: (data: object, message: string) => void;
  error: (data: object, message: string) => void;
}

/** JSON lines on standard output, one object a line; errors under `err`. */
export function createLogger(program: string, level: string): Logger {
  return pino({
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
