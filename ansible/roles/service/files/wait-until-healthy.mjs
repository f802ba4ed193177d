// Waits until a unit returns 2xx, or accepts connections: node … <unit> <http or tcp URL> <seconds> [<health file of a release>]
// Fails immediately if systemd had to restart it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";

const [, unit, url, seconds, healthFile] = process.argv;
const { target, timeoutMs, startMs } = readHealth();
const deadline = performance.now() + startMs;

/** What the release itself says of its health has precedence. */
function readHealth() {
  const given = { timeoutMs: 2000, startMs: Number(seconds) * 1000 };
  if (!existsSync(healthFile)) return { ...given, target: new URL(url) };
  const { path, ...times } = JSON.parse(readFileSync(healthFile, "utf8"));
  const { host } = new URL(url);
  const target = path ? new URL(path, `http://${host}`) : `tcp://${host}`;
  return { ...given, ...times, target: new URL(target) };
}

function countRestarts() {
  const show = ["show", "--property=NRestarts", "--value", unit];
  return Number(execFileSync("systemctl", show, { encoding: "utf8" }));
}

async function probe() {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    if (target.protocol === "tcp:") return await probePort(signal);
    const response = await fetch(target, { signal, redirect: "manual" });
    const body = await response.text();
    return response.ok ? undefined : `${response.status} ${body.slice(0, 200)}`;
  } catch (err) {
    return err.cause?.message ?? err.message;
  }
}

function probePort(signal) {
  const { hostname, port } = target;
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), signal });
    socket.on("error", (err) => resolve(err.message));
    socket.on("connect", () => resolve(socket.destroy() && undefined));
  });
}

let problem = await probe();
while (problem !== undefined) {
  if (countRestarts() > 0) problem = `it exited and was restarted (${problem})`;
  else if (performance.now() > deadline)
    problem = `${target.href} did not answer within ${startMs / 1000} s: ${problem}`;
  else {
    await setTimeout(100);
    problem = await probe();
    continue;
  }
  console.error(`${unit} is not healthy: ${problem}`);
  process.exit(1);
}
