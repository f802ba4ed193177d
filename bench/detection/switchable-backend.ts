/**
 * A server that answers `/healthz` at once and everything else after a latency. A message over IPC sets the latency; the
 * reply is the time of the change.
 */
import { createServer } from "node:http";
import { monotonicMs } from "../../test/support/system/monotonic.js";

let latencyMs = 0;

const server = createServer((request, response) => {
  const delayMs = request.url === "/healthz" ? 0 : latencyMs;
  setTimeout(() => response.end("{}"), delayMs);
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(JSON.stringify({ level: "info", msg: "backend listens" }));
});

process.on("message", (message: { latencyMs: number }) => {
  latencyMs = message.latencyMs;
  process.send?.(monotonicMs());
});
