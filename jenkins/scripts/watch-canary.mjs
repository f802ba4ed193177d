#!/usr/bin/env node
/**
 * Watches the canary through the monitor's API. Exits with 0 when the canary has served enough requests for long enough
 * while the flag stayed true. Exits with 1 and a reason when the flag was flipped, no monitor leads, the canary is down or
 * returns errors, or it did not get enough traffic in time.
 *
 *     SERIN_MONITOR_URL=http://edge:8090 jenkins/scripts/watch-canary.mjs
 */
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 500;
const ANSWER_TIMEOUT_MS = 3000;
/** A standby monitor takes over within 5 s, and an app restarts faster than that: shorter outages are tolerated. */
const TOLERANCE_MS = 6000;

class Refusal extends Error {}

function readSettings(env) {
  const problems = [];
  const number = (name, { fallback, min, max = Infinity }) => {
    const value = Number(env[name] || fallback);
    if (!(value >= min && value <= max))
      problems.push(
        `${name} is ${JSON.stringify(env[name])}: not ${min} or more`,
      );
    return value;
  };
  const monitorUrl = env.SERIN_MONITOR_URL || "http://127.0.0.1:8090";
  if (!/^https?:/.test(monitorUrl) || !URL.canParse(monitorUrl))
    problems.push(
      `SERIN_MONITOR_URL is ${JSON.stringify(monitorUrl)}: not an HTTP URL`,
    );
  const settings = {
    monitorUrl,
    requests: number("SERIN_WATCH_REQUESTS", { fallback: 50, min: 1 }),
    watchMs: number("SERIN_WATCH_SECONDS", { fallback: 60, min: 0 }) * 1000,
    limitMs:
      number("SERIN_WATCH_LIMIT_SECONDS", { fallback: 600, min: 1 }) * 1000,
    errorRatio: number("SERIN_WATCH_ERROR_RATIO", {
      fallback: 0.05,
      min: 0,
      max: 1,
    }),
  };
  if (problems.length > 0) throw new Refusal(problems.join("\n"));
  return settings;
}

async function readJson(url) {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? `status ${response.status}`);
  return body;
}

/** The id of the newest event, to read the events after it later. */
async function readNewestEventId(monitorUrl) {
  const [newest] = await readJson(new URL("/api/events?limit=1", monitorUrl));
  return newest?.id ?? "0-0";
}

/** @throws Refusal when the flag is false, or was false at any time since the event `after` */
async function readState(monitorUrl, after) {
  const [state, flips] = await Promise.all([
    readJson(new URL("/api/state", monitorUrl)),
    readJson(
      new URL(`/api/events?kind=flip&limit=1000&after=${after}`, monitorUrl),
    ),
  ]);
  const { flag } = state;
  if (!flag.value)
    throw new Refusal(`the flag is false, by ${flag.by}: ${flag.reason}`);
  const flip = flips.find(
    ({ data }) => data.flag === flag.name && data.value === false,
  );
  if (flip)
    throw new Refusal(
      `the flag was false at ${flip.at}, by ${flip.by}: ${flip.reason}`,
    );
  return state;
}

/** @returns why the canary cannot be watched. The cause may be temporary, such as a restart or a change of leader. */
function findObstacle({ lease, hosts }) {
  if (lease === null) return "no monitor leads, so the canary is not watched";
  const down = hosts.find(({ target, up }) => target === "canary" && !up);
  return down && `the app on ${down.host} is not running`;
}

function refuseErrors({ requests, errors }, settings) {
  if (requests < settings.requests || errors <= requests * settings.errorRatio)
    return;
  throw new Refusal(
    `the canary failed ${errors} of ${requests} requests, more than ${settings.errorRatio * 100} %`,
  );
}

function tooLittleTraffic({ requests }, settings, proxies) {
  const closed = proxies.find(({ canaryOpen }) => canaryOpen === false);
  return new Refusal(
    `the canary got ${requests} of ${settings.requests} requests in ${settings.limitMs / 1000} s, too few to judge` +
      (closed
        ? ` (${closed.id} keeps the canary closed: ${closed.because})`
        : ""),
  );
}

/** Sums the canary's requests. The monitor's window slides, so only windows that do not overlap are added. */
class Tally {
  requests = 0;
  errors = 0;
  #countedUntil;

  constructor(now) {
    this.#countedUntil = now;
  }

  /** @returns whether something was counted */
  count({ requests, errors, windowMs }, now) {
    if (now - this.#countedUntil < windowMs) return false;
    this.#countedUntil = now;
    this.requests += requests;
    this.errors += errors;
    return true;
  }
}

/** Reads the state, waiting for obstacles to pass. @throws Refusal when one lasts */
async function readWatchableState(settings, memory) {
  for (; ; await sleep(POLL_MS)) {
    let obstacle;
    const now = Date.now();
    try {
      memory.after ??= await readNewestEventId(settings.monitorUrl);
      const state = await readState(settings.monitorUrl, memory.after);
      obstacle = findObstacle(state);
      if (obstacle === undefined) {
        memory.goodAt = now;
        return state;
      }
    } catch (err) {
      if (err instanceof Refusal) throw err;
      obstacle = `the monitor at ${settings.monitorUrl} cannot be reached: ${err.cause?.message ?? err.message}`;
    }
    if (now - memory.goodAt >= TOLERANCE_MS) throw new Refusal(obstacle);
  }
}

/** @returns the number of requests that the canary served @throws Refusal */
async function watch(settings) {
  const startedAt = Date.now();
  const memory = { after: undefined, goodAt: startedAt };
  await readWatchableState(settings, memory);
  const watchedSince = Date.now();
  const tally = new Tally(watchedSince);
  for (; ; await sleep(POLL_MS)) {
    const { sides, proxies } = await readWatchableState(settings, memory);
    const now = Date.now();
    if (tally.count(sides.canary, now)) {
      const seconds = Math.round((now - watchedSince) / 1000);
      console.log(
        `${seconds} s: ${tally.requests} requests, ${tally.errors} errors`,
      );
      refuseErrors(tally, settings);
    }
    const isLongEnough = now - watchedSince >= settings.watchMs;
    if (isLongEnough && tally.requests >= settings.requests)
      return tally.requests;
    if (now - startedAt >= settings.limitMs)
      throw tooLittleTraffic(tally, settings, proxies);
  }
}

try {
  const requests = await watch(readSettings(process.env));
  console.log(
    `the canary is good: ${requests} requests, and the flag stayed true`,
  );
} catch (err) {
  if (!(err instanceof Refusal)) throw err;
  console.error(`watch-canary: ${err.message}`);
  process.exitCode = 1;
}
