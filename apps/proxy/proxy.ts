import { createServer } from "node:http";
import { openFlagWatch, type FlagWatch } from "../../lib/flag-watch.js";
import { HttpService } from "../../lib/http-service.js";
import { announce, sourceId } from "../../lib/instance.js";
import { createKeys } from "../../lib/keys.js";
import { Ledger } from "../../lib/ledger.js";
import type { Closers } from "../../lib/lifecycle.js";
import type { Logger } from "../../lib/log.js";
import { answerMetrics, Metrics } from "../../lib/metrics.js";
import { createRedis } from "../../lib/redis.js";
import { releaseVersion } from "../../lib/release.js";
import type { Side } from "../../lib/telemetry.js";
import { Breaker } from "./breaker.js";
import { CanaryStop } from "./canary-stop.js";
import { createAdmin, type ProxyStatus } from "./admin.js";
import { whyCanaryIsClosed } from "./canary-gate.js";
import type { ProxyConfig } from "./config.js";
import { createEngine } from "./create-engine.js";
import { serveRequests } from "./frontend.js";
import { createStrictServer } from "./server.js";
import { toProxyFamilies } from "./proxy-metrics.js";
import { createSplit } from "./split.js";
import { TelemetrySender } from "./telemetry-sender.js";
import type { ExchangeContext } from "./exchange.js";
import { CLIENT_CLOSED, TrafficRecorder } from "./traffic-recorder.js";
import { TrafficTotals } from "./traffic-totals.js";
import { createTrust } from "./trust.js";
import { TunnelEngine } from "./tunnel.js";
import { Upstreams } from "./upstreams.js";

interface Context {
  logger: Logger;
  closers: Closers;
}

/** Opens everything the proxy consists of and connects it; what it opens, it registers to be closed. */
export async function startProxy(
  config: ProxyConfig,
  { logger, closers }: Context,
): Promise<void> {
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

  const breaker = new Breaker();
  const whyClosed = () =>
    breaker.trip === undefined
      ? whyCanaryIsClosed(watch.current, config, performance.now())
      : `breaker: ${breaker.trip.reason}`;
  const isCanaryOpen = () => whyClosed() === null;
  const recorder = new TrafficRecorder(performance.now(), isCanaryOpen);
  const readStatus = () =>
    describe({ config, watch, recorder, because: whyClosed() });
  const totals = new TrafficTotals(recorder);
  const frontend = createFrontend(config, {
    recorder,
    isCanaryOpen,
    onOutcome: (side, status) => {
      // What a client did not wait for says nothing about its side.
      if (!config.hasBreaker || status === CLIENT_CLOSED) return;
      const trip = breaker.record(side, status >= 500);
      if (trip !== undefined) stop.begin(trip);
    },
  });
  closers.add("upstream connections", () => frontend.engine.close());
  const { service, tunnels } = frontend;
  const admin = new HttpService(
    createServer(
      createAdmin({
        readStatus,
        isDraining: () => service.draining,
        answerMetrics: answerMetrics(
          measure(config, totals, readStatus),
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
  const port = await service.listen(config);

  const source = sourceId("proxy", port);
  const ledger = new Ledger(redis, keys);
  const stop = new CanaryStop({ ledger, flagName, source, logger });
  closers.add("canary stop", () => stop.cancel());
  // Whoever puts the flag to true lets the canary in again.
  watch.onChange(({ value }) => {
    if (!value) return;
    breaker.reset();
    stop.cancel();
  });
  const { split } = readStatus();
  const detail = `http://${config.host}:${port}, split ${split}`;
  const shared = { redis, source, logger };
  announce({ program: "proxy", detail, ledger, closers, ...shared });
  const canaryState = () => readStatus().canary;
  const sender = new TelemetrySender({
    ...{ ...shared, keys, recorder, split, canaryState },
    onWindow: (window) => totals.add(window),
  });
  sender.start(config.telemetryIntervalMs);
  closers.add("telemetry", () => sender.close());
  closers.add("server", () => {
    const drained = service.close(config.drainMs);
    tunnels.close();
    return drained;
  });
  logger.info({ port, adminPort }, "proxy listens");
}

function createFrontend(
  config: ProxyConfig,
  parts: Pick<ExchangeContext, "recorder" | "onOutcome"> & {
    isCanaryOpen: () => boolean;
  },
) {
  const limits = {
    connectMs: config.connectTimeoutMs,
    responseMs: config.responseTimeoutMs,
    maxHeaderBytes: config.maxHeaderBytes,
  };
  const engine = createEngine(config.engine, limits);
  const tunnels = new TunnelEngine(limits);
  const split = createSplit(config.split, Math.random);
  const service = new HttpService(createStrictServer(config));
  serveRequests(service.server, {
    pickSide: (): Side => (parts.isCanaryOpen() ? split() : "prod"),
    isTrusted: createTrust(config.trustedProxies),
    maxConnections: config.maxConnections,
    engine,
    tunnels,
    upstreams: {
      prod: new Upstreams("prod", config.prodUrls),
      canary: new Upstreams("canary", config.canaryUrls),
    },
    recorder: parts.recorder,
    onOutcome: parts.onOutcome,
  });
  return { engine, tunnels, service };
}

function measure(
  config: ProxyConfig,
  totals: TrafficTotals,
  readStatus: () => ProxyStatus,
): Metrics {
  const read = () =>
    toProxyFamilies({
      ...config,
      totals: totals.read(),
      status: readStatus(),
    });
  return new Metrics({ version: releaseVersion(), read });
}

function describe(parts: {
  config: ProxyConfig;
  watch: FlagWatch;
  recorder: TrafficRecorder;
  because: string | null;
}): ProxyStatus {
  const { config, watch, recorder, because } = parts;
  const reading = watch.current;
  const now = performance.now();
  return {
    split: `${config.split.prod}:${config.split.canary}`,
    canary: { open: because === null, because },
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
    requests: { ...recorder.totals },
  };
}
