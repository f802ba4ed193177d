// Waits until a service returns 200: node … <unit> <url> <seconds>. Fails immediately if systemd had to restart it.
import { execFileSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";

const [, unit, url, seconds] = process.argv;
const deadline = performance.now() + Number(seconds) * 1000;

function countRestarts() {
  const show = ["show", "--property=NRestarts", "--value", unit];
  return Number(execFileSync("systemctl", show, { encoding: "utf8" }));
}

async function probe() {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    const body = await response.text();
    return response.ok ? undefined : `${response.status} ${body.slice(0, 200)}`;
  } catch (err) {
    return err.cause?.message ?? err.message;
  }
}

let problem = await probe();
while (problem !== undefined) {
  if (countRestarts() > 0) problem = `it exited and was restarted (${problem})`;
  else if (performance.now() > deadline)
    problem = `not within ${seconds} s: ${problem}`;
  else {
    await setTimeout(100);
    problem = await probe();
    continue;
  }
  console.error(`${unit} is not healthy: ${problem}`);
  process.exit(1);
}
