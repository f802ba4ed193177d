import { randomBytes } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { FlagWatch } from "../../lib/flag/flag-watch.js";
import { HttpService } from "../../lib/program/http-service.js";
import { announce, sourceId } from "../../lib/flag/announce.js";
import { createKeys, type Keys } from "../../lib/redis/keys.js";
import { Ledger, type LedgerEvent } from "../../lib/flag/ledger.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import type { Logger } from "../../lib/program/log.js";
import { answerMetrics, Metrics } from "../../lib/program/metrics.js";
import { createRedis } from "../../lib/redis/redis.js";
import { releaseVersion } from "../../lib/program/release.js";
import { readHarm } from "../../lib/telemetry/harm.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import { readBackground } from "./alert/background.js";
import { createChannels } from "./alert/channels/create-channels.js";
import { ActionLinks } from "./alert/message/action-link.js";
import type { NoticeSettings } from "./alert/message/notice.js";
import { createBackend } from "./api/backend.js";
import { createApi } from "./api/routes.js";
import type { MonitorConfig } from "./config.js";
import { Conductor } from "./rollout/conductor.js";
import { Controller } from "./control/controller.js";
import type { Store } from "./control/outlook.js";
import { Courier } from "./alert/courier.js";
import { History } from "./telemetry/history.js";
import { StopKeeper } from "./telemetry/stop-figures.js";
import { EventTally } from "./telemetry/event-tally.js";
import { Leadership } from "./leader/leadership.js";
import { toMonitorFamilies, readStoredFigures } from "./api/monitor-metrics.js";
import { NoticeBook } from "./telemetry/notice-book.js";
import { Observations } from "./telemetry/observations.js";
import { describeWithoutFeature } from "../../lib/wording/headline.js";
import { readPageFiles } from "./api/page-files.js";
import { PageStream } from "./api/page-stream.js";
import { readPageState, type StateOutlook } from "./api/state.js";
import {
  StreamReader,
  type StreamListener,
} from "./telemetry/stream-reader.js";
import { VerdictKeeper } from "./control/verdict-keeper.js";

const HTTP_DRAIN_MS = 1000;
/** How long the mail about a stop waits for the canary's last requests. */
const SETTLE_MS = 1000;
/** Beside this module and beside its bundle. */
const PAGE = new URL("./page/", import.meta.url);

interface Context {
  logger: Logger;
  closers: Closers;
}

/** Opens and connects all parts of the monitor, and registers their closers. */
export async function startMonitor(
  config: MonitorConfig,
  { logger, closers }: Context,
): Promise<void> {
  const startedAt = performance.now();
  const { redisUrl, flagName } = config;
  const keys = createKeys(config.keyPrefix);
  const connect = (name: string) =>
    createRedis({ url: redisUrl, name, logger });
  const redis = connect("monitor");
  closers.add("Redis", () => redis.disconnect());
  const store = { redis, keys, ledger: new Ledger(redis, keys) };
  // Listens first, because the port is part of this monitor's name. The API answers after the start.
  const service = new HttpService(createServer());
  closers.add("port", () => service.close(0));
  const port = await service.listen(config);
  const source = sourceId("monitor", port);
  const url = `http://${nameHost(config.host)}:${port}`;
  const shared = { ...store, source, url, logger, closers };
  announce({ program: "monitor", detail: url, ...shared });

  const judge = () => void controller.nudge();
  const observations = new Observations(config, judge);
  const verdicts = new VerdictKeeper({ redis, keys, config });
  const seen = { observations, verdicts, config };
  const conductor = new Conductor({ ...store, ...seen });
  const history = new History(config);
  const stops = new StopKeeper(flagName, observations);
  const stream = new PageStream({
    readState: () => readPageState(store, outlook, source),
    newestPoints: () => history.newest(),
  });
  const page: StreamListener = {
    onEvent: (event) => stream.tell(event),
    onCaughtUp: () => stream.setWhole(observations.isCurrent),
    onGap: () => stream.setWhole(false),
  };
  const tally = new EventTally();
  const notices = new NoticeBook(store.ledger, () => leadership.fence);
  const reader = new StreamReader({
    redis: connect("monitor-streams"),
    keys,
    listeners: [
      ...[observations, stops, verdicts, conductor],
      ...[history, tally, notices, page],
    ],
    startedAt,
    logger,
  });
  closers.add("streams", () => reader.close());

  const notice = createNoticeSettings(config, keys, url);
  const told = { ...shared, notice, observations };
  const couriers = createCouriers(config, told);
  const stopCouriers = () => stopAll(couriers);
  const leadership = new Leadership({
    ...{ redis, keys, flagName },
    // Unique even after a restart: two monitors must never share a name.
    holder: `${source}#${randomBytes(4).toString("hex")}`,
    logger,
    onLead: (fence) => {
      for (const courier of couriers) courier.start(fence);
      judge();
    },
    onLose: () => void stopCouriers(),
  });
  const outlook: StateOutlook = {
    leadership,
    redisNow: () => reader.redisNow(),
    ...{ ...seen, conductor, history, stops },
    obstacle: () => controller.obstacle,
    skippedTelemetry: () => reader.skipped,
    heldChannels: () => couriers.flatMap(({ held }) => held ?? []),
  };
  const context = { ...store, ...outlook, leadership, logger };
  const controller = new Controller(context);
  closers.add("lease", () => leadership.close());
  closers.add("couriers", stopCouriers);
  closers.add("controller", () => controller.close());

  const watched = { redisUrl, program: "monitor", keys, flagName, logger };
  const watch = new FlagWatch(watched);
  watch.onReading((reading) => controller.remember(reading));
  watch.onChange(judge);
  watch.onChange(() => stream.nudge());
  closers.add("flag watch", () => watch.close());
  reader.start();

  const shown = { stream, history, tally, couriers };
  const parts = { store, outlook, notice, logger, ...shown };
  service.server.on("request", openApi(parts));
  closers.add("requests", () => service.close(HTTP_DRAIN_MS));
  closers.add("dashboards", () => stream.close());
  logger.info({ port }, "monitor listens");
}

/** The host of a URL that others can open. The address for all interfaces becomes the host's name. */
function nameHost(host: string): string {
  if (["0.0.0.0", "::"].includes(host)) return hostname();
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Links that do something need an address that reaches people, and the token, without which anyone could sign them. */
function createNoticeSettings(
  config: MonitorConfig,
  keys: Keys,
  url: string,
): NoticeSettings {
  const { adminToken, dashboardUrl, flagName, commitUrl } = config;
  return {
    ...{ keys, flagName, commitUrl, system: config.system.label },
    command: config.system.command,
    dashboardUrl: dashboardUrl ?? url,
    links:
      adminToken === undefined || dashboardUrl === undefined
        ? undefined
        : new ActionLinks(adminToken, `${keys.prefix}${flagName}`),
  };
}

function createCouriers(
  config: MonitorConfig,
  parts: Store &
    Context & {
      source: string;
      notice: NoticeSettings;
      observations: Observations;
    },
): Courier[] {
  const { redis, keys, ledger, source, notice, logger, closers } = parts;
  const { observations } = parts;
  const readPresent = () => ({
    versions: (side: Side) => observations.versions(side),
    withoutFeature: describeWithoutFeature(observations.latestFigures("prod")),
    readHarm: (stop: LedgerEvent) =>
      readHarm({ redis, keys, ledger }, stop, { patienceMs: SETTLE_MS }),
  });
  const all = createChannels(config.alert, notice, logger);
  const channels = all.map(({ name }) => name);
  return all.map((channel) => {
    closers.add(`${channel.name} channel`, () => channel.close());
    const shared = {
      ...{ redis, keys, ledger, logger, channels },
      groupMs: config.alertGroupMs,
      readBackground: (event: LedgerEvent) =>
        readBackground(ledger, event, readPresent()),
    };
    return new Courier({ ...shared, channel, consumer: source });
  });
}

async function stopAll(couriers: readonly Courier[]): Promise<void> {
  await Promise.all(couriers.map((courier) => courier.stop()));
}

interface Parts {
  store: Store;
  outlook: StateOutlook;
  notice: NoticeSettings;
  stream: PageStream;
  history: History;
  tally: EventTally;
  couriers: readonly Courier[];
  logger: Logger;
}

function openApi(parts: Parts): RequestListener {
  const { store, outlook, notice, stream, history, logger } = parts;
  const { flagName, adminToken } = outlook.config;
  return createApi(createBackend(store, outlook), {
    flagName,
    adminToken,
    answerMetrics: answerMetrics(measure(parts), logger),
    dashboard: {
      files: readPageFiles(PAGE),
      stream,
      readHistory: () => history.report(outlook.redisNow() ?? Date.now()),
    },
    notice,
    logger,
  });
}

function measure({ store, outlook, tally, couriers }: Parts): Metrics {
  const { leadership, observations, verdicts, config } = outlook;
  const read = async () => {
    const now = outlook.redisNow() ?? 0;
    const leads = leadership.fence !== undefined;
    return toMonitorFamilies({
      system: config.system,
      stored: await readStoredFigures(store, config.flagName),
      leads,
      sides: {
        prod: observations.sideFigures("prod", now),
        canary: observations.sideFigures("canary", now),
      },
      verdict: leads ? verdicts.verdict : undefined,
      placebo: leads ? verdicts.readPlacebo(now) : undefined,
      tally,
      couriers: couriers.map(({ totals }) => totals),
      skippedTelemetry: outlook.skippedTelemetry(),
    });
  };
  return new Metrics({ version: releaseVersion(), read });
}
