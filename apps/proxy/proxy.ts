import { createServer } from "node:http";
import { FlagWatch, type FlagReading } from "../../lib/flag/flag-watch.js";
import { HttpService } from "../../lib/program/http-service.js";
import { announce, sourceId } from "../../lib/flag/announce.js";
import { createKeys } from "../../lib/redis/keys.js";
import { Ledger } from "../../lib/flag/ledger.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import type { Logger } from "../../lib/program/log.js";
import { answerMetrics, Metrics } from "../../lib/program/metrics.js";
import { createRedis } from "../../lib/redis/redis.js";
import { releaseVersion } from "../../lib/program/release.js";
import { createAdmin, type ProxyStatus, type Readiness } from "./admin.js";
import { Breaker, type Trip } from "./canary/breaker.js";
import {
  CanaryGate,
  canaryOpenForMs,
  whyCanaryIsClosed,
} from "./canary/gate.js";
import { DeckAdmission } from "./dealing/deck.js";
import { describeWeight, SharedWeight, SPLIT_HOLDS } from "./dealing/weight.js";
import { GateReceipts } from "./canary/gate-receipts.js";
import { CanaryStop } from "./canary/canary-stop.js";
import { RecentSum } from "./canary/recent-requests.js";
import type { ProxyConfig } from "./config.js";
import { toProxyFamilies } from "./proxy-metrics.js";
import {
  createSharedState,
  readClockOffsetMs,
  type SharedState,
} from "./shared-state.js";
import {
  TelemetrySender,
  type CanaryState,
} from "./traffic/telemetry-sender.js";
import { TrafficSum } from "./traffic/traffic-sum.js";
import { SingleThread } from "./workers/single-thread.js";
import { WorkerPool } from "./workers/worker-pool.js";

/** The worker's module lies beside this one, bundled or not. */
const WORKER_MAIN = new URL("./worker-main.js", import.meta.url);

interface Context {
  logger: Logger;
  closers: Closers;
  /** The module that each worker runs; the program's own by default. */
  workerEntry?: URL;
}

type Serving = SingleThread | WorkerPool;

/** The proxy's composition root: opens and connects its parts, and registers each one to be closed. */
export async function startProxy(
  config: ProxyConfig,
  context: Context,
): Promise<void> {
  const { logger, closers } = context;
  const { redisUrl, flagName } = config;
  const keys = createKeys(config.keyPrefix);
  const redis = createRedis({ url: redisUrl, name: "proxy", logger });
  closers.add("Redis", () => redis.disconnect());
  const watched = { redisUrl, program: "proxy", keys, flagName, logger };
  const watch = new FlagWatch({
    ...watched,
    readsLease: true,
    readsInfo: true,
    readsWeight: true,
    readsRollout: config.isSticky,
  });
  closers.add("flag watch", () => watch.close());

  const ledger = new Ledger(redis, keys);
  const memory = createSharedState();
  const recent = new RecentSum();
  const admission = new DeckAdmission(memory.admittedPicks);
  const hostAdmission = new DeckAdmission(memory.admittedHostPicks);
  const traffic = new TrafficSum(performance.now(), () => {
    admission.renew();
    hostAdmission.renew();
  });
  const weight = new SharedWeight(memory.weight);
  const { split } = describeWeight(SPLIT_HOLDS, config.split);
  const readPercent = () => describeWeight(weight.read(), config.split).weight;
  const readSource = () => sourceId("proxy", serving.port);
  const sender = new TelemetrySender({
    redis,
    keys,
    split: config.split,
    hosts: config.prodUrls.length,
    readSource,
    logger,
    takeWindows: async () =>
      (await readTraffic()).takeWindows(performance.now(), weight.read()),
    canaryState: () => canary.read(),
  });
  const flips = { ledger, readSource, recent };
  const known = { config, context, watch, sender, memory, weight };
  const canary = controlCanary({ ...known, ...flips });
  const { onTrip } = canary;
  const parts = { shared: memory, recent, traffic, onTrip, logger };
  const entry = context.workerEntry ?? WORKER_MAIN;
  const serving: Serving =
    config.workers === 1
      ? new SingleThread(config, parts)
      : new WorkerPool({ config, entry, ...parts });
  const readTraffic = async () => {
    await serving.count();
    return traffic;
  };
  const adminPort = await listenForAdmin({
    config,
    context,
    serving,
    readTraffic,
    describe: () => ({
      split,
      weight: readPercent(),
      weightProblem: watch.current?.weightProblem ?? null,
      canary: canary.read(),
      ...describeReading(watch, config),
      telemetry: describeTelemetry(sender),
    }),
  });
  const port = await serving.listen();

  const detail = `http://${config.host}:${port}, split ${split}`;
  const shared = { source: readSource(), redis, ledger, logger, closers };
  announce({ program: "proxy", detail, ...shared });
  const receipts = new GateReceipts({
    ...shared,
    keys,
    flagName,
    readState: () => ({ ...canary.read(), weight: readPercent() }),
    countWaiting: async () => (await readTraffic()).countWaiting("canary"),
  });
  watch.onReading((reading) => receipts.look(reading));
  closers.add("receipts", () => receipts.close());
  sender.start(config.telemetryIntervalMs);
  closers.add("telemetry", () => sender.close());
  closers.add("server", () => serving.close());
  logger.info({ port, adminPort }, "proxy listens");
}

/** Status, metrics, probes and the reload signal. @returns the admin server's port */
async function listenForAdmin(options: {
  config: ProxyConfig;
  context: Context;
  serving: Serving;
  readTraffic: () => Promise<TrafficSum>;
  describe: () => Omit<ProxyStatus, "requests">;
}): Promise<number> {
  const { config, context, serving, readTraffic, describe } = options;
  const { logger, closers } = context;
  const reload = () => void serving.reload();
  process.on("SIGHUP", reload);
  closers.add("reload signal", () => void process.off("SIGHUP", reload));
  const toStatus = ({ totals: { prod, canary } }: TrafficSum): ProxyStatus => {
    const requests = { prod: prod.chosen, canary: canary.chosen };
    return { ...describe(), requests };
  };
  const readFamilies = async () => {
    const traffic = await readTraffic();
    return toProxyFamilies({ ...config, traffic, status: toStatus(traffic) });
  };
  const metrics = new Metrics({
    version: releaseVersion(),
    read: readFamilies,
  });
  const admin = createAdmin({
    host: config.adminHost,
    readStatus: async () => toStatus(await readTraffic()),
    readReadiness: () => describeReadiness(serving),
    answerMetrics: answerMetrics(metrics, logger),
  });
  const service = new HttpService(createServer(admin));
  closers.add("admin server", () => service.close(0));
  return service.listen({ host: config.adminHost, port: config.adminPort });
}

/**
 * Opens and closes the canary. Only this thread talks to Redis; the serving threads read the result from shared memory.
 */
function controlCanary(options: {
  config: ProxyConfig;
  context: Context;
  watch: FlagWatch;
  memory: SharedState;
  weight: SharedWeight;
  recent: RecentSum;
  ledger: Ledger;
  sender: TelemetrySender;
  readSource: () => string;
}) {
  const { config, context, watch, memory, weight, sender, ...flips } = options;
  const { logger, closers } = context;
  const breaker = new Breaker(memory.breaker);
  const clockOffsetMs = readClockOffsetMs();
  const gate = new CanaryGate(memory.openUntil, clockOffsetMs);
  const { flagName } = config;
  const now = () => performance.now() + clockOffsetMs;
  const readFlip = () => watch.current?.flip ?? null;
  const stop = new CanaryStop({
    ...flips,
    breaker,
    now,
    readFlip,
    flagName,
    logger,
  });
  closers.add("canary stop", () => stop.cancel());
  // Setting the flag to true opens the canary again.
  watch.onChange(({ value }) => {
    if (!value) return;
    breaker.reset();
    stop.cancel();
  });
  const readKnown = () => ({
    reading: watch.current,
    refusal: watch.refusal,
    untaken: sender.untaken,
  });
  watch.onReading(() => {
    const now = performance.now();
    const { weight: percent = null, isWeightOutdated = true } =
      watch.current ?? {};
    weight.publish(percent, isWeightOutdated);
    Atomics.store(memory.rollout, 0, rolloutOf(watch.current));
    gate.publish(canaryOpenForMs(readKnown(), config, now), now);
    Atomics.store(memory.flagIsOff, 0, Number(watch.current?.value === false));
  });
  return {
    onTrip: (trip: Trip, era: number) => {
      if (breaker.learn(trip, era)) stop.begin(trip);
    },
    read: (): CanaryState => {
      const because =
        breaker.trip === undefined
          ? whyCanaryIsClosed(readKnown(), config, performance.now())
          : `breaker: ${breaker.trip.reason}${stop.isJudging ? "; prod's outcome is awaited" : ""}`;
      return { open: because === null, because };
    },
  };
}

/** What a sticky client's cookie belongs to: the rollout or, if there never was one, the last flip. */
function rolloutOf(reading: FlagReading | undefined): bigint {
  const { rollout, flip } = reading ?? {};
  return BigInt(rollout ?? flip?.split("-", 1)[0] ?? 0);
}

function describeReading(
  watch: FlagWatch,
  config: ProxyConfig,
): Pick<ProxyStatus, "flag" | "lease"> {
  const { value = null, confirmedAt, leaseUntil } = watch.current ?? {};
  const now = performance.now();
  return {
    flag: {
      value,
      confirmedAgoMs:
        confirmedAt === undefined ? null : Math.round(now - confirmedAt),
    },
    lease: {
      required: config.leaseRequired,
      freshForMs: Math.max(0, Math.round((leaseUntil ?? 0) - now)),
    },
  };
}

function describeTelemetry({ untaken }: TelemetrySender) {
  const { since = performance.now(), because = null } = untaken ?? {};
  return { untakenForMs: Math.round(performance.now() - since), because };
}

function describeReadiness({ isDraining, isListening }: Serving): Readiness {
  if (isDraining) return "draining";
  return isListening ? "ready" : "idle";
}
