import type { Ratio } from "../../lib/telemetry/split-ratio.js";
import * as effects from "./effects.js";
import type { LawName, Random } from "./laws.js";
import type { ReleasePlan } from "./release.js";
import type { Route, Traffic } from "./traffic.js";

/** Rows of one table. */
export type Part = "healthy" | "worse" | "ramp" | "rivals";

export interface Scenario {
  part: Part;
  /** Of the row; with the law it names the scenario. */
  name: string;
  releases: number;
  plan: ReleasePlan;
}

const AT_25: Ratio = { prod: 3, canary: 1 };
const FIXED = [{ ratio: AT_25, fromSecond: 0 }];
const RAMP = [
  { ratio: { prod: 49, canary: 1 }, fromSecond: 0 },
  { ratio: { prod: 9, canary: 1 }, fromSecond: 60 },
  { ratio: AT_25, fromSecond: 120 },
];
const SECONDS = 300;
const STEADY: LawName[] = [
  ...(["lognormal", "Pareto 1.5", "bimodal", "cache"] as const),
  ...(["1 ms rounded", "0.4 ms", "gamma", "log-logistic"] as const),
];
const RIVALS_LAWS: LawName[] = [
  ...(["lognormal", "gamma", "log-logistic", "bimodal"] as const),
];

type Options = Partial<Omit<ReleasePlan, "traffic">> &
  Partial<Traffic> & { part?: Part; releases?: number };

function scenario(name: string, options: Options): Scenario {
  const { part = "healthy", releases = 100, ...rest } = options;
  const { law = "lognormal", perSecond = 100, ...more } = rest;
  const { load, routes, errors, ...plan } = more;
  return {
    ...{ part, name, releases },
    plan: {
      ...{ steps: FIXED, warmUpSeconds: 0, seconds: SECONDS, ...plan },
      traffic: {
        ...{ law, perSecond, effects: options.effects ?? [] },
        ...(load && { load }),
        ...(routes && { routes }),
        ...(errors && { errors }),
      },
    },
  };
}

function tenRoutes(isMoving: boolean): Route[] {
  return Array.from({ length: 10 }, (_, i) => ({
    name: `GET /r${i}`,
    factor: 0.3 * 1.3 ** i,
    weight: (at: number) =>
      isMoving ? 1.2 + Math.sin((2 * Math.PI * (at + 6 * i)) / 60) : 1,
  }));
}

const isBusy = (at: number): number => (effects.isCron(at) ? 4 : 1);
const sharedStalls = effects.slowFor("both", {
  ...{ factor: 5, everySeconds: () => 30, lastsSeconds: () => 2 },
});
const hiccups = effects.slowFor("canary", effects.HICCUPS);
const oneStall = (factor: number, seconds: number) =>
  effects.slowFor("canary", effects.oneStall(factor, seconds));

const HEALTHY: Scenario[] = [
  ...STEADY.map((law) => scenario("steady", { law, releases: 150 })),
  scenario("both sides stall, × 5 for 2 s in 30 s", {
    effects: [sharedStalls],
  }),
  scenario("cron: each minute 4 × load and 3 × latency for 10 s", {
    ...{ effects: [effects.cron], load: isBusy },
  }),
  scenario("drift of both sides", { effects: [effects.drift] }),
  scenario("ten routes, their mix moves", { routes: tenRoutes(true) }),
  scenario("a page and its assets: period 4", {
    effects: [effects.alternating([1, 0.25, 0.3, 0.5])],
  }),
  scenario("two kinds alternate, split 1:1", {
    effects: [effects.alternating([1, 0.25])],
    steps: [{ ratio: { prod: 1, canary: 1 }, fromSecond: 0 }],
  }),
  scenario("each host by itself, 10 % for 10 s", {
    effects: [effects.noisyHosts],
  }),
  ...(["lognormal", "bimodal", "gamma"] as const).map((law) =>
    scenario("hiccups of the canary, × 3 for 2 s in 30 s", {
      ...{ law, effects: [hiccups], releases: 200 },
    }),
  ),
  scenario("collections, 0.5–1.5 s a minute on each host", {
    ...{ effects: [effects.collections], releases: 200 },
  }),
  ...(["either side", "the canary alone"] as const).map((who) =>
    scenario(`random stalls of ${who}, × 4, mean 1 s, 40 s apart`, {
      ...{ releases: 200 },
      effects: [
        effects.slowFor(
          who === "either side" ? "either" : "canary",
          effects.RANDOM_STALLS,
        ),
      ],
    }),
  ),
  scenario("one stall of the canary, × 20 for 2 s", {
    ...{ effects: [oneStall(20, 2)], releases: 200 },
  }),
  scenario("the canary stands still once, 2 s", {
    effects: [effects.freeze(2)],
  }),
  scenario("one stall of the canary, × 5 for 5 s", {
    ...{ effects: [oneStall(5, 5)], releases: 200 },
  }),
  ...[5, 20, 60].map((seconds) =>
    scenario(`cold canary, τ ${seconds} s`, {
      ...{ effects: [effects.cold(seconds)], warmUpSeconds: 60 },
    }),
  ),
  scenario("cold canary, τ 60 s, VERDICT_WARM_UP=4m", {
    ...{ effects: [effects.cold(60)], warmUpSeconds: 240 },
  }),
  scenario("cold cache, +100 ms on half for 60 s", {
    ...{ effects: [effects.coldCache], warmUpSeconds: 60 },
  }),
  ...[1.05, 1.3].map((factor) =>
    scenario(
      `one of two prod hosts ${Math.round(100 * factor - 100)} % faster than the canary's`,
      { effects: [effects.unequalHosts(factor)], releases: 60 },
    ),
  ),
  scenario("10 requests/s", { perSecond: 10, seconds: 1800 }),
  scenario("0.3 requests/s", {
    ...{ perSecond: 0.3, seconds: 43_200, releases: 30 },
  }),
  scenario("0.1 requests/s", {
    ...{ perSecond: 0.1, seconds: 86_400, releases: 30 },
  }),
  scenario("a ramp 2–10–25 % with hiccups", {
    ...{ steps: RAMP, effects: [hiccups] },
  }),
];

type Change = (ms: number, random: Random) => number;
const CHANGES: Record<string, Change> = {
  "× 2": effects.times(2),
  "× 1.5": effects.times(1.5),
  "× 1.2": effects.times(1.2),
  "+500 ms on 5 %": effects.halfASecondMore(0.05),
  "+500 ms on 1 %": effects.halfASecondMore(0.01),
};
const changeOf = (name: string, fromSecond?: number) =>
  effects.change(CHANGES[name] ?? effects.times(1), fromSecond);
const worse = (name: string, options: Options): Scenario =>
  scenario(name, { part: "worse", ...options });
const failing = (percent: number): Options => ({
  ...{ errors: { ratio: percent / 100 }, countFrom: 0 },
});

const WORSE: Scenario[] = [
  ...Object.keys(CHANGES).flatMap((name) =>
    (["lognormal", "bimodal"] as const).map((law) =>
      worse(name, { law, effects: [changeOf(name)] }),
    ),
  ),
  ...[1, 5, 20].map((percent) =>
    worse(`${percent} % errors`, failing(percent)),
  ),
  worse("100 % errors on a route of 0.1 requests/s", {
    ...{ perSecond: 10, errors: { ratio: 1, route: "GET /rare" } },
    ...{ countFrom: 0, countRoute: "GET /rare", seconds: 7200 },
    routes: [
      { name: "GET /", weight: () => 99, factor: 1 },
      { name: "GET /rare", weight: () => 1, factor: 1 },
    ],
  }),
  worse("one of ten routes × 3", {
    routes: tenRoutes(false).map((route, i) =>
      i === 7 ? { ...route, canaryFactor: 3 } : route,
    ),
  }),
  worse("× 1.5, ten routes, their mix moves", {
    ...{ routes: tenRoutes(true), effects: [changeOf("× 1.5")] },
  }),
  worse("× 1.5, both sides stall", {
    effects: [sharedStalls, changeOf("× 1.5")],
  }),
  ...["× 2", "× 1.5"].map((name) =>
    worse(`${name}, a minute of hiccups before`, {
      effects: [
        effects.slowFor("canary", { ...effects.HICCUPS, count: 2 }),
        changeOf(name, 60),
      ],
      countFrom: 60,
    }),
  ),
  worse("× 2, a service of 3 ms", {
    ...{ law: "3 ms", effects: [changeOf("× 2")] },
  }),
  worse("× 2, a service of 0.4 ms", {
    ...{ law: "0.4 ms", effects: [changeOf("× 2")], releases: 50 },
  }),
  ...["× 2", "× 1.5", "× 1.2"].map((name) =>
    worse(`${name}, none below 20 ms`, {
      ...{ law: "none below 20 ms", effects: [changeOf(name)], releases: 50 },
    }),
  ),
  ...["× 2", "× 1.5"].flatMap((name) =>
    [
      { minutes: 10, releases: 50 },
      { minutes: 60, releases: 12 },
    ].map(({ minutes, releases }) =>
      worse(`${name}, healthy for ${minutes} minutes before`, {
        effects: [changeOf(name, 60 * minutes)],
        ...{ countFrom: 60 * minutes, releases },
      }),
    ),
  ),
  ...["× 2", "× 1.5"].map((name) =>
    worse(`${name}, 10 requests/s`, {
      ...{ perSecond: 10, effects: [changeOf(name)], seconds: 1800 },
    }),
  ),
  ...[0.3, 0.1].map((perSecond) =>
    worse(`× 2, ${perSecond} requests/s`, {
      ...{ perSecond, effects: [changeOf("× 2")] },
      ...{ seconds: 8640 / perSecond, releases: 30 },
    }),
  ),
];

const ramp = (name: string, options: Options): Scenario =>
  scenario(name, { part: "ramp", steps: RAMP, releases: 60, ...options });

const RAMPS: Scenario[] = [
  ...["× 2", "× 1.5", "× 1.2", "+500 ms on 5 %"].map((name) =>
    ramp(name, { effects: [changeOf(name)] }),
  ),
  ...[5, 1].map((percent) => ramp(`${percent} % errors`, failing(percent))),
];

const rivals = (name: string, effect?: effects.CreateEffect): Scenario[] =>
  RIVALS_LAWS.map((law) =>
    scenario(name, {
      ...{ part: "rivals", law, releases: 20 },
      effects: effect === undefined ? [] : [effect],
    }),
  );

const RIVALS: Scenario[] = [
  ...Object.keys(CHANGES).flatMap((name) => rivals(name, changeOf(name))),
  ...rivals("healthy, steady"),
  ...rivals("healthy, drift of both sides", effects.drift),
  ...rivals("healthy, hiccups", hiccups),
];

export const SCENARIOS: readonly Scenario[] = [
  ...HEALTHY,
  ...WORSE,
  ...RAMPS,
  ...RIVALS,
];
