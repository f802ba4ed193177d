import { toPlain } from "../../lib/wording/plain-text.js";

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ENOTFOUND: "no host has that name",
  EAI_AGAIN: "the host's name could not be resolved",
  ETIMEDOUT: "no answer in time",
  TimeoutError: "no answer in time",
};

/** Describes a failed connection in a few words. */
export function describeFailure(err: unknown): string {
  if (!(err instanceof Error)) return toPlain(String(err));
  // fetch() wraps the cause, and a name with several addresses has one error for each.
  const inner: unknown =
    err.cause ?? (err instanceof AggregateError ? err.errors[0] : undefined);
  const known = SENTENCES[codeOf(err)];
  if (known !== undefined) return known;
  if (inner !== undefined) return describeFailure(inner);
  return toPlain(err.message) || codeOf(err);
}

function codeOf(err: Error): string {
  return "code" in err && typeof err.code === "string" ? err.code : err.name;
}
