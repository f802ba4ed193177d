import { createServer } from "node:http";
import { openFlagWatch, type FlagWatch } from "../../lib/flag/flag-watch.js";
import { HttpService } from "../../lib/program/http-service.js";
import { announce, sourceId } from "../../lib/program/instance.js";
import { createKeys } from "../../lib/redis/keys.js";
import { Ledger } from "../../lib/flag/ledger.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import type { Logger } from "../../lib/program/log.js";
import { answerMetrics, Metrics } from "../../lib/program/metrics.js";
import { createRedis } from "../../lib/redis/redis.js";
import { releaseVersion } from "../../lib/program/release.js";
import { createAdmin, type ProxyStatus, type Readiness } from "./admin.js";
import { Breaker, type Trip } from "./canary/breaker.js";
import { canaryOpenForMs, whyCanaryIsClosed } from "./canary/gate.js";
import { CanaryStop } from "./canary/canary-stop.js";
import type { ProxyConfig } from "./config.js";
import { toProxyFamilies } from "./proxy-metrics.js";
import { SingleThread, type Serving } from "./serving.js";
import { createSharedClock } from "./workers/shared-clock.js";
import { SharedGate } from "./canary/shared-gate.js";
import { createSharedState } from "./workers/shared-state.js";
import { createSplit } from "./canary/split.js";
import { TelemetrySender } from "./traffic/telemetry-sender.js";
import { WorkerPool } from "./workers/worker-pool.js";

/** Beside this module and beside its bundle. */
const WORKER_MAIN = new URL("./worker-main.js", import.meta.url);

interface Context {
  logger: Logger;
  closers: Closers;
  /** What each of several workers runs, unless told the program's own. */
  workerEntry?: URL;
}

/** Opens everything the proxy consists of and connects it; what it opens, it registers to be closed. */
export async function startProxy(
  config: ProxyConfig,
  context: Context,
): Promise<void> {
  const { logger, closers } = context;
  const keys = createKeys(config.keyPrefix);
  const { redisUrl, flagName } = config;
  const redis = createRedis({ url: redisUrl, name: "proxy", logger });
  closers.add("Redis", () => redis.disconnect());
  const watch = openFlagWatch({
    redisUrl,
    program: "proxy",
    keys,
    flagName,
    logger,
  });
  closers.add("flag watch", () => watch.close());

  const ledger = new Ledger(redis, keys);
  const onTrip = (trip: Trip) => stop.begin(trip);
  const { serving, breaker } =
    config.workers === 1
      ? createSingle({ config, watch, onTrip, context })
      : createPool({ config, watch, onTrip, context });
  // Before anybody serves: one worker may take the canary out while the next is still being started.
  const stop = new CanaryStop({
    ledger,
    flagName,
    readSource: () => sourceId("proxy", serving.port),
    logger,
  });
  closers.add("canary stop", () => stop.cancel());
  // Whoever puts the flag to true lets the canary in again.
  watch.onChange(({ value }) => {
    if (!value) return;
    breaker.reset();
    stop.cancel();
  });
  const readCanary = () => {
    const because = whyClosed({ config, watch, breaker });
    return { open: because === null, because };
  };
  const split = `${config.split.prod}:${config.split.canary}`;
  const readStatus = async () => ({
    split,
    canary: readCanary(),
    ...describeReading(watch, config),
    requests: { ...(await serving.readTotals()) },
  });
  const readReadiness = () => describeReadiness(serving);
  const admin = new HttpService(
    createServer(
      createAdmin({
        readStatus,
        readReadiness,
        answerMetrics: answerMetrics(
          measure({ config, serving, readStatus }),
          logger,
        ),
      }),
    ),
  );
  const adminPort = await admin.listen({
    host: config.adminHost,
    port: config.adminPort,
  });
  closers.add("admin server", () => admin.close(0));
  const port = await serving.listen();

  const source = sourceId("proxy", port);
  const detail = `http://${config.host}:${port}, split ${split}`;
  const shared = { redis, source, logger };
  announce({ program: "proxy", detail, ledger, closers, ...shared });
  const sender = new TelemetrySender({
    ...{ ...shared, keys, split },
    traffic: serving,
    canaryState: readCanary,
  });
  sender.start(config.telemetryIntervalMs);
  closers.add("telemetry", () => sender.close());
  closers.add("server", () => serving.close());
  logger.info({ port, adminPort }, "proxy listens");
}

function measure(parts: {
  config: ProxyConfig;
  serving: Serving;
  readStatus: () => Promise<ProxyStatus>;
}): Metrics {
  const { config, serving, readStatus } = parts;
  const read = async () =>
    toProxyFamilies({
      ...config,
      totals: await serving.readEnded(),
      status: await readStatus(),
    });
  return new Metrics({ version: releaseVersion(), read });
}

interface Parts {
  config: ProxyConfig;
  watch: FlagWatch;
  onTrip: (trip: Trip) => void;
  context: Context;
}

function createSingle({ config, watch, onTrip, context }: Parts) {
  const { logger, closers } = context;
  const breaker = new Breaker();
  const parts = { config, watch, breaker };
  const serving = new SingleThread(config, {
    isCanaryOpen: () => whyClosed(parts) === null,
    split: createSplit(config.split, Math.random),
    breaker,
    onTrip,
    logger,
  });
  onHangUp(closers, () =>
    logger.warn(
      {},
      "nothing to reload: SIGHUP replaces workers, and there are none with WORKERS=1",
    ),
  );
  return { serving, breaker };
}

/** Workers know the flag and the lease from the memory that they share with this thread, which alone speaks with Redis. */
function createPool({ config, watch, onTrip, context }: Parts) {
  const { logger, closers, workerEntry } = context;
  const shared = createSharedState();
  const breaker = new Breaker(shared.breaker);
  const gate = new SharedGate(shared.openUntil, createSharedClock());
  watch.onReading((reading) =>
    gate.publish(canaryOpenForMs(reading, config, performance.now())),
  );
  const serving = new WorkerPool({
    config,
    entry: workerEntry ?? WORKER_MAIN,
    shared,
    onTrip: (trip, era) => {
      if (breaker.learn(trip, era)) onTrip(trip);
    },
    logger,
  });
  onHangUp(closers, () => void serving.reload());
  return { serving, breaker };
}

function onHangUp(closers: Closers, listener: () => void): void {
  process.on("SIGHUP", listener);
  closers.add("reload signal", () => void process.off("SIGHUP", listener));
}

function whyClosed(
  parts: Pick<Parts, "config" | "watch"> & { breaker: Breaker },
) {
  const { config, watch, breaker } = parts;
  return breaker.trip === undefined
    ? whyCanaryIsClosed(watch.current, config, performance.now())
    : `breaker: ${breaker.trip.reason}`;
}

function describeReading(
  watch: FlagWatch,
  config: ProxyConfig,
): Pick<ProxyStatus, "flag" | "lease"> {
  const reading = watch.current;
  const now = performance.now();
  return {
    flag: {
      value: reading?.value ?? null,
      confirmedAgoMs:
        reading === undefined ? null : Math.round(now - reading.confirmedAt),
    },
    lease: {
      required: config.leaseRequired,
      freshForMs: Math.max(
        0,
        Math.round((reading?.lease?.freshUntil ?? 0) - now),
      ),
    },
  };
}

function describeReadiness(serving: Serving): Readiness {
  if (serving.isDraining) return "draining";
  return serving.isListening ? "ready" : "idle";
}
