#!/usr/bin/env node
/**
 * Watches the canary through the monitor's API. Its exit status:
 *
 *   0  the canary is good: enough requests for long enough, the flag stayed true, and the verdict is healthy
 *   1  the canary is bad: the flag was flipped, the app is down or returns errors
 *   3  with --admit, which only looks whether a release can be tried now: it cannot
 *   4  too little is known in time: too few requests, no verdict, no monitor, or a bad setting. It says what to do.
 *
 *     SERIN_MONITOR_URL=http://edge:8090 jenkins/scripts/watch-canary.mjs [--admit | report.txt]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 500;
const ANSWER_TIMEOUT_MS = 3000;
/** A standby monitor takes over within 5 s, and an app restarts faster than that: shorter outages are tolerated. */
const TOLERANCE_MS = 6000;

/** The canary is bad. */
class Refusal extends Error {}
/** Nothing can be said of the canary. */
class Unknown extends Error {}

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
  if (problems.length > 0) throw new Unknown(problems.join("\n"));
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
function findObstacle({ lease, obstacle, hosts }) {
  if (lease === null) {
    const why = obstacle ? ` (${obstacle})` : "";
    return new Unknown(`no monitor leads, so the canary is not watched${why}`);
  }
  const down = hosts.find(({ target, up }) => target === "canary" && !up);
  return down && new Refusal(`the app on ${down.host} is not running`);
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
  return new Unknown(
    `the canary got ${requests} of ${settings.requests} requests in ${settings.limitMs / 1000} s, too few to judge` +
      (closed
        ? ` (${closed.id} keeps the canary closed: ${closed.because})`
        : ""),
  );
}

/** @returns why the verdict does not say that the canary is healthy; undefined if it does, or with VERDICT=off */
function findDoubt(verdict) {
  if (verdict === null || verdict.outcome === "healthy") return undefined;
  const { outcome, because, odds, mode } = verdict;
  if (outcome === "worse")
    return `the verdict is "worse", evidence ${odds} (VERDICT=${mode})`;
  const needed = verdict.canaryRequestsNeeded;
  const more = needed > 0 ? `, about ${needed} more canary requests` : "";
  return `the verdict is ${outcome ? `"${outcome}"` : "still open"}${because ? `: ${because}` : ""}${more}`;
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

function describeOutage({ monitorUrl }, err) {
  const why = err.cause?.message ?? err.message;
  return new Unknown(`the monitor at ${monitorUrl} cannot be reached: ${why}`);
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
      obstacle = describeOutage(settings, err);
    }
    if (now - memory.goodAt >= TOLERANCE_MS) throw obstacle;
  }
}

/** @returns the number of requests that the canary served @throws Refusal or Unknown */
async function watch(settings) {
  const startedAt = Date.now();
  const memory = { after: undefined, goodAt: startedAt };
  await readWatchableState(settings, memory);
  const watchedSince = Date.now();
  const tally = new Tally(watchedSince);
  for (; ; await sleep(POLL_MS)) {
    const { sides, proxies, verdict } = await readWatchableState(
      settings,
      memory,
    );
    const now = Date.now();
    if (tally.count(sides.canary, now)) {
      const seconds = Math.round((now - watchedSince) / 1000);
      console.log(
        `${seconds} s: ${tally.requests} requests, ${tally.errors} errors`,
      );
      refuseErrors(tally, settings);
    }
    const isLongEnough = now - watchedSince >= settings.watchMs;
    const hasEnough = tally.requests >= settings.requests;
    const doubt = findDoubt(verdict ?? null);
    if (isLongEnough && hasEnough && doubt === undefined) return tally.requests;
    if (now - startedAt < settings.limitMs) continue;
    if (hasEnough && doubt !== undefined) throw new Unknown(doubt);
    throw tooLittleTraffic(tally, settings, proxies);
  }
}

/** A release that is tried while the flag is false would be rejected for what an older one did. */
async function admit(settings) {
  let flag;
  try {
    ({ flag } = await readJson(new URL("/api/state", settings.monitorUrl)));
  } catch (err) {
    throw describeOutage(settings, err);
  }
  if (!flag.value)
    throw new Unknown(
      `the flag is false, by ${flag.by}: ${flag.reason}. Build again when the canary may have traffic: serin flag on, or after the automatic retry`,
    );
}

const HELD = `The canary keeps this release, and nothing is rejected. Look at the dashboard or at \`serin status\`. Then build again for
more traffic, or decide: release it with

    ansible-playbook ansible/deploy.yml -e target=prod && jenkins/scripts/mark-stable

or reject it with

    jenkins/scripts/take-back
    ansible-playbook ansible/rollback.yml -e target=canary -e serin_release=$(jenkins/scripts/stable-release)`;

const [option] = process.argv.slice(2);
const isAdmission = option === "--admit";
try {
  const settings = readSettings(process.env);
  if (isAdmission) await admit(settings);
  else {
    const requests = await watch(settings);
    console.log(
      `the canary is good: ${requests} requests, and the flag stayed true`,
    );
  }
} catch (err) {
  const isBad = err instanceof Refusal;
  // What is unexpected says nothing of the canary either.
  const why = isBad || err instanceof Unknown ? err.message : err.stack;
  if (isAdmission) console.error(`not built: ${why}`);
  else if (isBad) console.error(`watch-canary: ${why}`);
  else console.error(`watch-canary: held: ${why}\n\n${HELD}`);
  if (!isAdmission && !isBad && option !== undefined) {
    mkdirSync(dirname(option), { recursive: true });
    writeFileSync(option, `held: ${why}\n\n${HELD}\n`);
  }
  process.exitCode = isAdmission ? 3 : isBad ? 1 : 4;
}
