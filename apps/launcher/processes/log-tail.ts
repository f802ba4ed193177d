import { closeSync, openSync, fstatSync, readSync } from "node:fs";
import * as z from "zod";
import { parseJson } from "../../../lib/redis/stream-entry.js";

const TAIL_BYTES = 64 * 1024;

const logLine = z.object({
  level: z.string().optional(),
  msg: z.string(),
  err: z.object({ message: z.string() }).optional(),
});

/** The last lines of a program's log, formatted for people. */
export function readLogTail(file: string, lines: number): string[] {
  return readEnd(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-lines)
    .map(formatLogLine);
}

/** Formats a JSON line as `warn: sentence: cause`; other lines are returned unchanged. */
export function formatLogLine(line: string): string {
  const parsed = logLine.safeParse(parseJson(line));
  if (!parsed.success) return line;
  const { level, msg, err } = parsed.data;
  return [level, msg, err?.message]
    .filter((part) => part !== undefined)
    .join(": ");
}

function readEnd(file: string): string {
  const log = openSync(file, "r");
  try {
    const { size } = fstatSync(log);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(log, tail, 0, tail.length, size - tail.length);
    return tail.toString();
  } finally {
    closeSync(log);
  }
}
