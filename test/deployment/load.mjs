// Sends steady traffic, to detect any gap: node load.mjs <url> <requests/s> [<path>]
// With a path, all requests are reads of it; without one they are reads and writes of the sample.
// Reads and writes use kept-alive connections; every tenth request opens a new one. On SIGTERM it prints the results as a
// line of JSON. A request fails when it gets no response or a 5xx.
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";

const [, , url, perSecond, path = ""] = process.argv;
const TIMEOUT_MS = 20_000;
const pool = new Agent({ keepAlive: true, maxSockets: 16 });
const result = {
  sent: 0,
  answered: 0,
  failed: 0,
  failures: {},
  servedBy: {},
  slowestMs: 0,
};

function send(number) {
  const isWrite = path === "" && number % 3 === 0;
  const startedAt = performance.now();
  const outgoing = request(
    `${url}${path || `/${isWrite ? "set" : "get"}/load${number % 7}`}`,
    {
      method: isWrite ? "POST" : "GET",
      agent: number % 10 === 0 ? new Agent() : pool,
      timeout: TIMEOUT_MS,
    },
  );
  outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
  outgoing.on("error", (err) =>
    finish(`${outgoing.method} ${err.code ?? err.message}`),
  );
  outgoing.on("response", (response) => {
    response.on("error", (err) =>
      finish(`${outgoing.method} ${err.code ?? err.message}`),
    );
    response.on("end", () => {
      const side = response.headers["x-served-by"] ?? "nobody";
      result.servedBy[side] = (result.servedBy[side] ?? 0) + 1;
      finish(
        response.statusCode < 500
          ? undefined
          : `${outgoing.method} ${response.statusCode}`,
      );
    });
    response.resume();
  });
  outgoing.end(isWrite ? `value ${number}` : undefined);
  let finished = false;
  const finish = (failure) => {
    if (finished) return;
    finished = true;
    result.answered += 1;
    result.slowestMs = Math.max(
      result.slowestMs,
      Math.round(performance.now() - startedAt),
    );
    if (failure === undefined) return;
    result.failed += 1;
    result.failures[failure] = (result.failures[failure] ?? 0) + 1;
  };
}

const timer = setInterval(
  () => send((result.sent += 1)),
  1000 / Number(perSecond),
);
process.once("SIGTERM", () => {
  clearInterval(timer);
  const wait = setInterval(() => {
    if (result.answered < result.sent) return;
    clearInterval(wait);
    pool.destroy();
    console.log(JSON.stringify(result));
  }, 20);
});
