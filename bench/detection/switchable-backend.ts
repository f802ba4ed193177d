/**
 * A server that answers `/healthz` at once and everything else after a latency, if it has one. A message over IPC sets latency
 * and status; the reply is the time of the change, and the requests before it.
 */
import { createServer } from "node:http";
import { monotonicMs } from "../../test/support/system/monotonic.js";
import { normal } from "../simulate/laws.js";

export interface Behaviour {
  /** Null: it never answers. */
  latencyMs: number | null;
  /** Of a lognormal law around the latency. */
  spread?: number;
  /** Default: 200. */
  status?: number;
}

export interface Changed {
  atMs: number;
  requests: number;
}

let behaviour: Behaviour = { latencyMs: 0 };
let requests = 0;

const server = createServer((request, response) => {
  const isProbe = request.url === "/healthz";
  if (!isProbe) requests += 1;
  const {
    latencyMs,
    spread = 0,
    status = 200,
  } = isProbe ? { latencyMs: 0 } : behaviour;
  if (latencyMs === null) return;
  const delayMs = latencyMs * Math.exp(spread * normal(Math.random));
  setTimeout(() => response.writeHead(status).end("{}"), delayMs);
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(JSON.stringify({ level: "info", msg: "backend listens" }));
});

process.on("message", (message: Behaviour) => {
  behaviour = message;
  const changed: Changed = { atMs: monotonicMs(), requests };
  process.send?.(changed);
});
