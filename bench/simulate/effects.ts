import type { Side } from "../../lib/telemetry/telemetry.js";
import { exponential, normal, type Random } from "./laws.js";

interface Moment {
  /** Seconds since the release; below 0 before it. */
  at: number;
  side: Side;
}

/** The latency that a request has instead. */
export type Effect = (latencyMs: number, moment: Moment) => number;
/** Begins anew with each release. */
export type CreateEffect = (random: Random) => Effect;

const PROD_HOSTS = 2;

/** Of a canary that is worse. */
export function change(
  changed: (ms: number, random: Random) => number,
  fromSecond = -Infinity,
): CreateEffect {
  return (random) =>
    (ms, { at, side }) =>
      side === "canary" && at >= fromSecond ? changed(ms, random) : ms;
}

export const times = (factor: number) => (ms: number) => ms * factor;

export const halfASecondMore =
  (ratio: number) =>
  (ms: number, random: Random): number =>
    random() < ratio ? ms + 500 : ms;

export interface Spells {
  factor: number;
  /** When the next one begins, in seconds after the last one began. */
  everySeconds: (random: Random) => number;
  lastsSeconds: (random: Random) => number;
  /** At most. */
  count?: number;
}

/** The canary, both sides, or each time one of them by chance is slow for a moment. The first one comes at a random time. */
export function slowFor(
  who: "canary" | "both" | "either",
  spells: Spells,
): CreateEffect {
  return (random) => {
    const sides: Side[] = [];
    const spellAt = createSpells(spells, random);
    return (ms, { at, side }) => {
      const spell = spellAt(at);
      if (spell === undefined) return ms;
      sides[spell] ??= who === "either" && random() < 0.5 ? "prod" : "canary";
      const isSlow = who === "both" || sides[spell] === side;
      return isSlow ? ms * spells.factor : ms;
    };
  };
}

/** @returns the number of the spell at a time, if there is one */
function createSpells(
  { everySeconds, lastsSeconds, count = Infinity }: Spells,
  random: Random,
): (at: number) => number | undefined {
  let from = everySeconds(random) * random();
  let to = from + lastsSeconds(random);
  let past = 0;
  return (at) => {
    while (at >= to && past + 1 < count) {
      past += 1;
      from = Math.max(to, from + everySeconds(random));
      to = from + lastsSeconds(random);
    }
    return at >= from && at < to ? past : undefined;
  };
}

/** Each host stands still once a minute for 0.5 to 1.5 s: its requests wait for the end. */
export const collections: CreateEffect = (random) => {
  const hosts = createHosts(random, () => {
    let minute = -Infinity;
    let [from, to] = [0, 0];
    return (at: number) => {
      if (Math.floor(at / 60) !== minute) {
        minute = Math.floor(at / 60);
        from = 60 * minute + 58 * random();
        to = from + 0.5 + random();
      }
      return at >= from && at < to ? 1000 * (to - at) : 0;
    };
  });
  return (ms, moment) => ms + hosts(moment);
};

/** The canary's only host stands still once. */
export function freeze(seconds: number): CreateEffect {
  return (random) => {
    const from = 60 + 120 * random();
    return (ms, { at, side }) =>
      side === "canary" && at >= from && at < from + seconds
        ? ms + 1000 * (from + seconds - at)
        : ms;
  };
}

/** Each host has a level of its own, with a deviation of 10 % and a memory of 10 s. */
export const noisyHosts: CreateEffect = (random) => {
  const hosts = createHosts(random, () => createLevel(random, 0.1, 10));
  return (ms, moment) => ms * Math.exp(hosts(moment));
};

/** Both sides' latency wanders. */
export const drift: CreateEffect = (random) => {
  const level = createLevel(random, 0.35, 10);
  return (ms, { at }) => ms * Math.exp(level(at));
};

/** Each minute begins with ten slow seconds, see `load` of the same traffic. */
export const cron: CreateEffect =
  () =>
  (ms, { at }) =>
    isCron(at) ? 3 * ms : ms;

export function isCron(at: number): boolean {
  return at - 60 * Math.floor(at / 60) < 10;
}

/** As long as a deck, so that each place of a deck has a kind of request. */
export function alternating(factors: readonly number[]): CreateEffect {
  return () => {
    let sent = 0;
    return (ms) => ms * (factors[sent++ % factors.length] ?? 1);
  };
}

/** A canary that is cold takes three times as long at first; the excess falls by e in `seconds`. */
export function cold(seconds: number): CreateEffect {
  return () =>
    (ms, { at, side }) =>
      side === "canary" ? ms * (1 + 2 * Math.exp(-at / seconds)) : ms;
}

/** For a minute, half of the canary's requests miss. */
export const coldCache: CreateEffect =
  (random) =>
  (ms, { at, side }) =>
    side === "canary" && at < 60 && random() < 0.5 ? ms + 100 : ms;

/** One of prod's hosts is as fast as the canary's, the other one faster by this factor. */
export function unequalHosts(factor: number): CreateEffect {
  return (random) =>
    (ms, { side }) =>
      side === "prod" && random() < 1 / PROD_HOSTS ? ms / factor : ms;
}

/** Prod has several hosts, the canary one. */
function createHosts(
  random: Random,
  createHost: () => (at: number) => number,
): (moment: Moment) => number {
  const prod = Array.from({ length: PROD_HOSTS }, createHost);
  const canary = createHost();
  return ({ at, side }) => {
    const host =
      side === "canary" ? canary : prod[Math.floor(PROD_HOSTS * random())];
    return host?.(at) ?? 0;
  };
}

/** An autoregressive process, by the second. */
function createLevel(
  random: Random,
  deviation: number,
  memorySeconds: number,
): (at: number) => number {
  const kept = Math.exp(-1 / memorySeconds);
  const fresh = deviation * Math.sqrt(1 - kept ** 2);
  let level = deviation * normal(random);
  let second: number | undefined;
  return (at) => {
    const now = Math.floor(at);
    for (second ??= now; second < now; second++)
      level = kept * level + fresh * normal(random);
    return level;
  };
}

export const HICCUPS: Spells = {
  ...{ factor: 3, everySeconds: () => 30, lastsSeconds: () => 2 },
};
export const RANDOM_STALLS: Spells = {
  factor: 4,
  everySeconds: (random) => 40 * exponential(random),
  lastsSeconds: exponential,
};
/** In the second or third minute. */
export function oneStall(factor: number, seconds: number): Spells {
  return {
    factor,
    everySeconds: () => 300,
    lastsSeconds: () => seconds,
    count: 1,
  };
}
