import { createServer } from "node:http";
import { isIPv6 } from "node:net";
import { openFlagWatch, type FlagWatch } from "../../lib/flag-watch.js";
import { HttpService } from "../../lib/http-service.js";
import { announce, sourceId } from "../../lib/instance.js";
import { createKeys } from "../../lib/keys.js";
import { Ledger } from "../../lib/ledger.js";
import type { Closers } from "../../lib/lifecycle.js";
import type { Logger } from "../../lib/log.js";
import { createRedis } from "../../lib/redis.js";
import type { Side } from "../../lib/telemetry.js";
import { createAdmin, type ProxyStatus } from "./admin.js";
import { whyCanaryIsClosed } from "./canary-gate.js";
import type { ProxyConfig } from "./config.js";
import { createEngine } from "./create-engine.js";
import { serveRequests } from "./frontend.js";
import { createStrictServer } from "./server.js";
import { createSplit } from "./split.js";
import { TelemetrySender } from "./telemetry-sender.js";
import { TrafficRecorder } from "./traffic-recorder.js";
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

  const recorder = new TrafficRecorder(performance.now());
  const whyClosed = () =>
    whyCanaryIsClosed(watch.current, config, performance.now());
  const readStatus = () =>
    describe({ config, watch, recorder, because: whyClosed() });
  const frontend = createFrontend(config, {
    recorder,
    isCanaryOpen: () => whyClosed() === null,
  });
  closers.add("upstream connections", () => frontend.engine.close());
  const { service, tunnels } = frontend;
  const admin = new HttpService(
    createServer(
      createAdmin({ readStatus, isDraining: () => service.draining }),
    ),
  );
  const adminPort = await admin.listen({
    host: config.adminHost,
    port: config.adminPort,
  });
  closers.add("admin server", () => admin.close(0));
  const port = await service.listen(config);

  const source = sourceId("proxy", port);
  const { split } = readStatus();
  const detail = `http://${config.host}:${port}, split ${split}`;
  announce({
    program: "proxy",
    source,
    detail,
    redis,
    ledger: new Ledger(redis, keys),
    closers,
    logger,
  });
  const canaryState = () => readStatus().canary;
  const sender = new TelemetrySender({
    redis,
    keys,
    source,
    recorder,
    split,
    canaryState,
    logger,
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
  parts: { recorder: TrafficRecorder; isCanaryOpen: () => boolean },
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
    isTrusted: (address) =>
      config.trustedProxies.check(address, isIPv6(address) ? "ipv6" : "ipv4"),
    maxConnections: config.maxConnections,
    engine,
    tunnels,
    upstreams: {
      prod: new Upstreams("prod", config.prodUrls),
      canary: new Upstreams("canary", config.canaryUrls),
    },
    recorder: parts.recorder,
  });
  return { engine, tunnels, service };
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
