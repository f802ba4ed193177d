import { get, type IncomingMessage } from "node:http";
import { z } from "zod";
import { parseJson } from "../../lib/redis/stream-entry.js";

const MAX_BODY_CHARACTERS = 64 * 1024;

export interface ProbeResult {
  /** Answered in time with a status of 200 to 299. */
  ok: boolean;
  /** Until the response's head, on a connection of its own; until the failure without one. */
  ms: number;
  status: number | null;
  /** What the answer says of itself. */
  version: string | null;
}

export interface ProbeLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

/** GETs `/healthz`. An app that cannot be reached, or answers too late or not in full, gives a result that is not ok. */
export async function probeHealth(
  appUrl: URL,
  limits: ProbeLimits,
): Promise<ProbeResult> {
  const sentAt = performance.now();
  try {
    const response = await requestHealth(appUrl, limits);
    const ms = performance.now() - sentAt;
    const status = response.statusCode ?? null;
    const version = versionIn(await readText(response));
    const ok = status !== null && status >= 200 && status < 300;
    return { ok, ms, status, version };
  } catch {
    const ms = performance.now() - sentAt;
    return { ok: false, ms, status: null, version: null };
  }
}

/** Resolves with the response's head; the limits hold for its body too. */
function requestHealth(
  appUrl: URL,
  { timeoutMs, signal }: ProbeLimits,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL("/healthz", appUrl);
    const request = get(url, { agent: false, signal }, resolve);
    const timer = setTimeout(
      () => request.destroy(new Error("probe timed out")),
      timeoutMs,
    );
    request.on("error", reject).once("close", () => clearTimeout(timer));
  });
}

/** Stops at the limit, which no health answer needs, and ends the connection. */
async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_BODY_CHARACTERS) break;
  }
  return text;
}

function versionIn(body: string): string | null {
  const parsed = z.object({ version: z.string() }).safeParse(parseJson(body));
  return parsed.success ? parsed.data.version : null;
}
