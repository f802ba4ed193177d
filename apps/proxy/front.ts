import type { Server } from "node:http";
import { setImmediate } from "node:timers/promises";
import { HttpService } from "../../lib/program/http-service.js";
import type { Logger } from "../../lib/program/log.js";
import { Breaker, type Trip } from "./canary/breaker.js";
import { CanaryGate } from "./canary/gate.js";
import { RecentRequests } from "./canary/recent-requests.js";
import { Dealer, DeckAdmission } from "./dealing/deck.js";
import { HostDealer } from "./dealing/host-deck.js";
import { MOST_HOST_DECKS } from "../../lib/telemetry/host-decks.js";
import { OptIn } from "./dealing/opt-in.js";
import { createRandom } from "./dealing/split.js";
import { SidePicker } from "./dealing/side-picker.js";
import { StickyClients } from "./dealing/sticky-clients.js";
import { SharedWeight } from "./dealing/weight.js";
import type { ProxyConfig } from "./config.js";
import { createTrust } from "./clients/client-connection.js";
import { ConnectionCount } from "./clients/connection-limit.js";
import { createEngine } from "./engines/create-engine.js";
import type { Engine } from "./engines/engine.js";
import { AccessLog } from "./exchange/access-log.js";
import { FailureLog } from "./exchange/failure-log.js";
import { serveRequests } from "./clients/intake.js";
import { KEEP_ALIVE_S } from "./http/relay.js";
import { createStrictServer } from "./clients/strict-server.js";
import { CLIENT_CLOSED, TrafficRecorder } from "./traffic/traffic-recorder.js";
import type { ThreadWindows } from "./traffic/window-counts.js";
import { TunnelEngine } from "./engines/tunnel.js";
import { Upstreams } from "./engines/upstreams.js";
import {
  readClockOffsetMs,
  type SharedState,
  type ThreadState,
} from "./shared-state.js";

/** A client that leaves earlier says nothing about the side that it asked. */
const GIVE_UP_MS = 250;

/** The end of a drain, in which requests that arrive last can still be answered. */
const LAST_ANSWERS_MS = 500;
/** The listener closes after this many turns of the event loop, even if connections keep coming. */
const MAX_TURNS = 1000;

export interface FrontContext {
  /** Memory shared by all threads. Every decision is based on it. */
  shared: SharedState;
  own: ThreadState;
  /** An outcome of this thread tripped the breaker. @param era the breaker's, right after the trip */
  onTrip: (trip: Trip, era: number) => void;
  /** See TrafficRecorder. */
  onWeightEnd: (ended: ThreadWindows) => void;
  logger: Logger;
}

/** Everything that a thread needs to serve clients: the server and the connections to the upstreams. */
export class Front {
  readonly recorder: TrafficRecorder;
  readonly #service: HttpService;
  readonly #engine: Engine;
  readonly #tunnels: TunnelEngine;

  constructor(config: ProxyConfig, context: FrontContext) {
    this.#engine = createEngine(config.engine, config);
    this.#tunnels = new TunnelEngine(config);
    this.#service = new HttpService(createStrictServer(config), {
      keepAliveMs: KEEP_ALIVE_S * 1000,
    });
    const { shared, own, onTrip, logger } = context;
    const clockOffsetMs = readClockOffsetMs();
    const gate = new CanaryGate(shared.openUntil, clockOffsetMs);
    const recent = new RecentRequests(own.recent, clockOffsetMs);
    const breaker = new Breaker(shared.breaker);
    const admission = new DeckAdmission(shared.admittedPicks);
    const weight = new SharedWeight(shared.weight);
    const readWeight = () => weight.read();
    const { split } = config;
    const dealer = new Dealer({ split, readWeight, admission });
    const failures = new FailureLog(logger);
    const { optIn } = config;
    const readRollout = () => Atomics.load(shared.rollout, 0);
    const isOpen = (now: number) => !breaker.isTripped && gate.isOpenAt(now);
    const picker = new SidePicker({
      isOpen,
      isDealing: () => !weight.isOutdated,
      // Both only grow, so their sum changes with either.
      readEra: () => breaker.era + gate.openings,
      dealer,
      optIn: optIn && new OptIn(optIn),
      sticky: config.isSticky
        ? new StickyClients({ dealer, split, readRollout })
        : undefined,
    });
    this.recorder = new TrafficRecorder(performance.now(), context.onWeightEnd);
    const random = createRandom();
    const upstreams = {
      prod: new Upstreams("prod", config.prodUrls, random),
      canary: new Upstreams("canary", config.canaryUrls, random),
    };
    serveRequests(this.#service.server, {
      pick: (headers, now) => {
        const picked = picker.pick(headers, now);
        if (picked.by !== "asked") recent.begin(picked.side, now);
        return picked;
      },
      areBothOut: config.hasAssetFallback
        ? (now) => picker.areBothOut(now)
        : undefined,
      isTrusted: createTrust(config.trustedProxies),
      keepsUnderscores: config.keepsUnderscores,
      maxConnections: config.maxConnections,
      connections: new ConnectionCount(shared.connections, own.connections),
      engine: this.#engine,
      tunnels: this.#tunnels,
      upstreams,
      hostDealer: new HostDealer(
        upstreams.prod.all,
        new DeckAdmission(shared.admittedHostPicks, MOST_HOST_DECKS),
      ),
      recorder: this.recorder,
      era: () => breaker.era,
      isCanaryOpen: () => isOpen(performance.now()),
      isFlagOff: () => Atomics.load(shared.flagIsOff, 0) === 1,
      onOutcome: (side, { status, withoutFeature }, requestEnd) => {
        if (!config.hasBreaker) return;
        const { startedAt, waitedMs, era, isCut } = requestEnd;
        const now = performance.now();
        const hasLeft = status === CLIENT_CLOSED;
        const gaveUp = hasLeft && waitedMs >= GIVE_UP_MS;
        const failed = (status >= 500 && withoutFeature !== true) || gaveUp;
        const request = { side, startedAt };
        if (isCut) recent.cut(request);
        else recent.end(request, { failed, abandoned: gaveUp }, now);
        if (hasLeft && !gaveUp) return;
        const trip = breaker.record(side, failed, era);
        if (trip !== undefined) onTrip(trip, breaker.era);
      },
      onFailedAttempt: (upstream, failure) => failures.note(upstream, failure),
      tellsTiming: config.tellsTiming,
      accessLog: config.accessLog && new AccessLog(logger, config.accessLog),
    });
  }

  get server(): Server {
    return this.#service.server;
  }

  get isDraining(): boolean {
    return this.#service.draining;
  }

  /** @returns the port */
  listen(address: {
    host: string;
    port: number;
    reusePort?: boolean;
  }): Promise<number> {
    return this.#service.listen(address);
  }

  /**
   * Gives requests in flight `drainMs` to finish, then closes the connections to the upstreams. A connection that is idle is
   * closed by its next response, or near the end of the drain: closing it earlier would reset requests on their way.
   */
  async close(drainMs: number): Promise<void> {
    await untilBacklogIsEmpty(this.server);
    const idleMs = Math.max(drainMs - LAST_ANSWERS_MS, drainMs / 2);
    const drained = this.#service.close(drainMs, idleMs);
    this.#tunnels.end();
    await drained;
    this.#tunnels.close();
    this.#engine.close();
  }
}

/**
 * Closing a listener resets connections that the system has established but Node has not accepted. Node accepts one in each
 * turn of its event loop, so a turn without a connection means that the backlog was empty.
 */
async function untilBacklogIsEmpty(server: Server): Promise<void> {
  let accepted = true;
  const note = () => (accepted = true);
  server.on("connection", note);
  for (let turn = 0; accepted && turn < MAX_TURNS; turn++) {
    accepted = false;
    // The first wait ends after this turn's sockets, the second after the next turn's.
    await setImmediate();
    await setImmediate();
  }
  server.off("connection", note);
}
