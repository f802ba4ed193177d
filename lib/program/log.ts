import { escapeUnsafe } from "../wording/plain-text.js";
import { pino, type DestinationStream, type LoggerOptions } from "pino";

/** The part of a logger that modules use: data first, then the sentence. */
export interface Logger {
  debug: (data: object, message: string) => void;
  info: (data: object, message: string) => void;
  warn: (data: object, message: string) => void;
  error: (data: object, message: string) => void;
}

/** Writes one JSON object per line, with errors under `err`; to standard output by default. */
export function createLogger(
  program: string,
  level: string,
  output?: DestinationStream,
): Logger {
  const options: LoggerOptions = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: { streamWrite: escapeUnsafe },
    formatters: { level: (label) => ({ level: label }) },
  };
  return output === undefined ? pino(options) : pino(options, output);
}
