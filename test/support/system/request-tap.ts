/**
 * Preloaded into a server (`node --import`), it records the time of each request. It answers any IPC message with the times
 * since the previous one.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { monotonicMs } from "./monotonic.js";

/** The head has been read. Health probes are ignored: they do not pass the proxy. */
export interface RequestStart {
  path: string;
  atMs: number;
}

const PROBES = new Set(["/healthz", "/readyz"]);

const starts: RequestStart[] = [];
subscribe("http.server.request.start", (message) => {
  const { url = "" } = (message as { request: IncomingMessage }).request;
  if (!PROBES.has(url)) starts.push({ path: url, atMs: monotonicMs() });
});
process.on("message", () => process.send?.(starts.splice(0)));
// Does not keep the server alive.
process.channel?.unref();
