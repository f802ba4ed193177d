import { get, type IncomingMessage } from "node:http";
import * as z from "zod";
import { parseJson } from "../../lib/redis/stream-entry.js";
import type { LookUpLimits } from "./find-app.js";

const MAX_BODY_CHARACTERS = 64 * 1024;

export interface ProbeResult {
  /** Whether the app responded in time with a 2xx. */
  ok: boolean;
  /** Time until the response's head on a new connection, or until the failure. */
  ms: number;
  status: number | null;
  /** From the body of the response. */
  version: string | null;
}

/** GETs the app's health page. The result is not ok if the app is unreachable or its response is late or incomplete. */
export async function probeHealth(
  url: URL,
  limits: LookUpLimits,
): Promise<ProbeResult> {
  const sentAt = performance.now();
  try {
    const response = await requestHealth(url, limits);
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

/** Resolves with the response's head. The limits apply to its body too. */
function requestHealth(
  url: URL,
  { timeoutMs, signal }: LookUpLimits,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal }, resolve);
    const timer = setTimeout(
      () => request.destroy(new Error("probe timed out")),
      timeoutMs,
    );
    request.on("error", reject).once("close", () => clearTimeout(timer));
  });
}

/** Stops at the size limit and closes the connection. */
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
  const health = z.object({ version: z.string() }).safeParse(parseJson(body));
  return health.data?.version ?? null;
}
