import type { Server } from "node:http";
import { HttpService } from "../../lib/program/http-service.js";
import type { Logger } from "../../lib/program/log.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import type { Breaker, Trip } from "./canary/breaker.js";
import type { ProxyConfig } from "./config.js";
import type { ConnectionCount } from "./clients/connection-count.js";
import { createEngine } from "./engines/create-engine.js";
import type { Engine } from "./engines/engine.js";
import { FailureLog } from "./exchange/failure-log.js";
import { serveRequests } from "./clients/intake.js";
import { KEEP_ALIVE_S } from "./http/relay.js";
import { createStrictServer } from "./clients/strict-server.js";
import { CLIENT_CLOSED, TrafficRecorder } from "./traffic/traffic-recorder.js";
import { createTrust } from "./clients/client-connection.js";
import { TunnelEngine } from "./engines/tunnel.js";
import { Upstreams } from "./engines/upstreams.js";

/** What a thread's front has in common with the other threads'. */
export interface FrontContext {
  isCanaryOpen: () => boolean;
  /** Asked while the canary is open. */
  split: () => Side;
  breaker: Breaker;
  onTrip: (trip: Trip) => void;
  connections: ConnectionCount;
  logger: Logger;
}

/** All that one thread needs to serve clients: its server, and its connections to the upstreams. */
export class Front {
  readonly recorder: TrafficRecorder;
  readonly #service: HttpService;
  readonly #engine: Engine;
  readonly #tunnels: TunnelEngine;

  constructor(config: ProxyConfig, context: FrontContext) {
    const limits = {
      connectMs: config.connectTimeoutMs,
      responseMs: config.responseTimeoutMs,
      maxHeaderBytes: config.maxHeaderBytes,
    };
    this.#engine = createEngine(config.engine, limits);
    this.#tunnels = new TunnelEngine(limits);
    this.#service = new HttpService(createStrictServer(config), {
      keepAliveMs: KEEP_ALIVE_S * 1000,
    });
    const failures = new FailureLog(context.logger);
    let isDealt = false;
    // A request is entered right after its side was picked; asked once more, another thread might just have closed the canary.
    this.recorder = new TrafficRecorder(performance.now(), () => isDealt);
    serveRequests(this.#service.server, {
      pickSide: () => {
        isDealt = context.isCanaryOpen();
        return isDealt ? context.split() : "prod";
      },
      isTrusted: createTrust(config.trustedProxies),
      maxConnections: config.maxConnections,
      connections: context.connections,
      engine: this.#engine,
      tunnels: this.#tunnels,
      upstreams: {
        prod: new Upstreams("prod", config.prodUrls),
        canary: new Upstreams("canary", config.canaryUrls),
      },
      recorder: this.recorder,
      era: () => context.breaker.era,
      onOutcome: (side, status, era) => {
        // What a client did not wait for says nothing about its side.
        if (!config.hasBreaker || status === CLIENT_CLOSED) return;
        const trip = context.breaker.record(side, status >= 500, era);
        if (trip !== undefined) context.onTrip(trip);
      },
      onFailedAttempt: (upstream, failure) => failures.note(upstream, failure),
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

  /** Finishes what is in flight within `drainMs`, and ends the connections to the upstreams. */
  async close(drainMs: number): Promise<void> {
    const drained = this.#service.close(drainMs);
    this.#tunnels.end();
    await drained;
    this.#tunnels.close();
    this.#engine.close();
  }
}
