import { readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import * as z from "zod";
import { acceptsConnections } from "../../lib/program/accepts-connections.js";
import { parseJson } from "../../lib/redis/stream-entry.js";
import type { LookUpLimits } from "./find-app.js";

const MAX_BODY_CHARACTERS = 64 * 1024;

export interface ProbeResult {
  /** Whether the app responded in time with a 2xx. */
  ok: boolean;
  /** Time until the response's head on a new connection, or until the failure. */
  ms: number;
  status: number | null;
  /** The release of the app's process: by its release file, or else by the body of the response. */
  version: string | null;
}

/** Checks the app's health. Never throws. */
export type Probe = (limits: LookUpLimits) => Promise<ProbeResult>;

export function createProbe(app: {
  appUrl: URL;
  healthPath: string;
  releaseFile: string | undefined;
}): Probe {
  const { appUrl, healthPath, releaseFile } = app;
  const probe: Probe =
    healthPath === "none"
      ? (limits) => probePort(appUrl, limits)
      : (limits) => probeHealth(new URL(healthPath, appUrl), limits);
  if (releaseFile === undefined) return probe;
  return async (limits) => {
    const result = await probe(limits);
    return { ...result, version: await readRelease(releaseFile) };
  };
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

/** Connects, for an app without a health page. */
async function probePort(
  url: URL,
  { timeoutMs, signal }: LookUpLimits,
): Promise<ProbeResult> {
  const sentAt = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const ok = await acceptsConnections(url, limit);
  const ms = performance.now() - sentAt;
  return { ok, ms, status: null, version: null };
}

/** The file appears with the app's process, and may be in any state. */
async function readRelease(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch(() => "");
  const file = z.object({ release: z.string() }).safeParse(parseJson(text));
  return file.data?.release ?? null;
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
