import { escapeUnsafe } from "../wording/plain-text.js";
import { pino, type DestinationStream, type LoggerOptions } from "pino";

/** The part of a logger that modules use: data first, then the sentence. */
export interface Logger {
  debug: (data: object, message: string) => void;
  info: (data: object, message: string) => void;
  warn: (data: object, message: string) => void;
  error: (data: object, message: string) => void;
}

/**
 * Writes one JSON object per line, with errors under `err`; to standard output by default. Of an error it writes what every
 * error has: a library's may hold the password of the command that failed.
 */
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
    formatters: { level: (label) => ({ level: label }), log: describeErrors },
    // pino's own would take a described error for one of the class Object.
    serializers: { err: (err: unknown) => err },
  };
  return output === undefined ? pino(options) : pino(options, output);
}

function describeErrors(
  data: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      value instanceof Error ? describeError(value) : value,
    ]),
  );
}

function describeError(err: Error): object {
  const { name, message, stack, cause } = err;
  const { code } = err as NodeJS.ErrnoException;
  const errors = err instanceof AggregateError ? err.errors : undefined;
  return {
    type: name,
    message,
    stack,
    ...(typeof code === "string" ? { code } : {}),
    ...(cause instanceof Error ? { cause: describeError(cause) } : {}),
    ...(errors === undefined ? {} : { errors: errors.map(String) }),
  };
}
