/**
 * Runs CONNECTIONS clients of PORT that pause for PAUSE_MS on average, outside the measuring process. Over IPC it reports
 * the number of responses.
 */
import { ClosedLoop } from "../test/support/system/closed-loop.js";

const { PORT, CONNECTIONS, PAUSE_MS } = process.env;
const clients = new ClosedLoop({
  port: Number(PORT),
  path: "/",
  connections: Number(CONNECTIONS),
  pauseMs: Number(PAUSE_MS),
});
console.log(JSON.stringify({ level: "info", msg: "load runs" }));
process.on("message", () => {
  process.send?.({ answers: clients.answers, failures: clients.failures });
});
