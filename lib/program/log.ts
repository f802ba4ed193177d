import { pino, type DestinationStream, type LoggerOptions } from "pino";

/** What modules need of a logger: data first, then the sentence. */
export interface Logger {
  debug: (data: object, message: string) => void;
  info: (data: object, message: string) => void;
  warn: (data: object, message: string) => void;
  error: (data: object, message: string) => void;
}

/** JSON lines, one object a line, errors under `err`; on standard output unless told. */
export function createLogger(
  program: string,
  level: string,
  output?: DestinationStream,
): Logger {
  const options: LoggerOptions = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return output === undefined ? pino(options) : pino(options, output);
}
