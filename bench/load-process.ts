/**
 * CONNECTIONS clients of PORT that pause for PAUSE_MS on average, away from the process that measures. Over IPC it tells
 * how many answers they have had.
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
