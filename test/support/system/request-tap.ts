/**
 * Preloaded into a server (`node --import`), notes when each request reached it, seen from inside. Over IPC it answers
 * any message with what it has noted since the last one.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { monotonicMs } from "./monotonic.js";

/** Its head has been read. Health probes are not counted: they do not come through the proxy. */
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
// The server's life is its own.
process.channel?.unref();
