import { Router } from "express";
import { MAX_SLOW_MS } from "./config.js";
import { Rejection } from "./errors.js";

/** Responds after `?ms=` or `defaultMs`, to demonstrate a slow canary. */
export function createSlow(defaultMs: number): Router {
  const slow = Router();
  slow.get("/slow", (request, response) => {
    const delayMs = parseDelayMs(request.query.ms) ?? defaultMs;
    const timer = setTimeout(() => response.json({ delayMs }), delayMs);
    response.once("close", () => clearTimeout(timer));
  });
  return slow;
}

function parseDelayMs(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const delayMs =
    typeof text === "string" && /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (delayMs <= MAX_SLOW_MS) return delayMs;
  throw new Rejection(
    400,
    `ms must be one whole number from 0 to ${MAX_SLOW_MS}`,
  );
}
