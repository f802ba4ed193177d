import { type AddressInfo } from "node:net";
import { ConnectionCount } from "../../../apps/proxy/clients/connection-limit.js";
import { createEngine } from "../../../apps/proxy/engines/create-engine.js";
import type { Engine } from "../../../apps/proxy/engines/engine.js";
import {
  serveRequests,
  type IntakeContext,
} from "../../../apps/proxy/clients/intake.js";
import { createStrictServer } from "../../../apps/proxy/clients/strict-server.js";
import { DeckAdmission } from "../../../apps/proxy/dealing/deck.js";
import { HostDealer } from "../../../apps/proxy/dealing/host-deck.js";
import type { AccessLog } from "../../../apps/proxy/exchange/access-log.js";
import { TrafficRecorder } from "../../../apps/proxy/traffic/traffic-recorder.js";
import type { ThreadWindows } from "../../../apps/proxy/traffic/window-counts.js";
import { TunnelEngine } from "../../../apps/proxy/engines/tunnel.js";
import { Upstreams } from "../../../apps/proxy/engines/upstreams.js";
import { HttpService } from "../../../lib/program/http-service.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../cleanup.js";
import { dealt } from "../dealt.js";
import { engineUnderTest } from "../http/engines.js";
import { RawClient } from "../http/raw-client.js";

export interface TestProxy {
  readonly port: number;
  readonly service: HttpService;
  readonly tunnels: TunnelEngine;
  /** Opens a raw connection to it. */
  readonly connect: (options?: { reading?: boolean }) => RawClient;
  /** What has been counted since the last call. */
  readonly counts: () => ThreadWindows;
}

/** For upstreams that are taken in the given order. */
export const inOrder = () => 0.999;

/** The proxy's request path in this process, without Redis: `side` stands for the split. */
export async function startTestProxy(options: {
  prod: { url: URL } | { url: URL }[];
  canary?: { url: URL } | { url: URL }[];
  /** `prod` unless told. */
  side?: Side | (() => Side);
  connectMs?: number;
  responseMs?: number;
  maxHeaderBytes?: number;
  headersTimeoutMs?: number;
  requestTimeoutMs?: number;
  maxConnections?: number;
  isTrusted?: (address: string) => boolean;
  onOutcome?: (side: Side, status: number) => void;
  onFailedAttempt?: IntakeContext["onFailedAttempt"];
  isFlagOff?: boolean;
  isCanaryOpen?: boolean;
  accessLog?: AccessLog;
  tellsTiming?: boolean;
  /** Whether a 404 is tried on the other side. */
  fallsBack?: boolean;
  /** The one under test unless told. */
  engine?: Engine;
}): Promise<TestProxy> {
  const { side = "prod" } = options;
  const prod = [options.prod].flat().map(({ url }) => url);
  const canary = [options.canary ?? options.prod].flat().map(({ url }) => url);
  const limits = {
    connectTimeoutMs: options.connectMs ?? 10_000,
    responseTimeoutMs: options.responseMs ?? 10_000,
    maxHeaderBytes: options.maxHeaderBytes ?? 16_384,
  };
  const engine =
    options.engine ?? createEngine(engineUnderTest() ?? "direct", limits);
  const tunnels = new TunnelEngine(limits);
  const recorder = new TrafficRecorder(performance.now());
  const service = new HttpService(
    createStrictServer({
      headersTimeoutMs: options.headersTimeoutMs ?? 10_000,
      requestTimeoutMs: options.requestTimeoutMs ?? 0,
      maxHeaderBytes: limits.maxHeaderBytes,
    }),
  );
  const upstreams = {
    prod: new Upstreams("prod", prod, inOrder),
    canary: new Upstreams("canary", canary, inOrder),
  };
  serveRequests(service.server, {
    pick: () => dealt(typeof side === "function" ? side() : side),
    areBothOut: options.fallsBack === true ? () => true : undefined,
    isTrusted: options.isTrusted ?? (() => false),
    keepsUnderscores: false,
    maxConnections: options.maxConnections ?? 10_000,
    connections: new ConnectionCount(new Int32Array(1), new Int32Array(1)),
    engine,
    tunnels,
    upstreams,
    hostDealer: new HostDealer(
      upstreams.prod.all,
      new DeckAdmission(new Int32Array(1)),
    ),
    recorder,
    era: () => 0,
    isFlagOff: () => options.isFlagOff ?? false,
    isCanaryOpen: () => options.isCanaryOpen ?? true,
    onOutcome: (side, { status }) => options.onOutcome?.(side, status),
    onFailedAttempt: options.onFailedAttempt ?? (() => undefined),
    accessLog: options.accessLog,
    tellsTiming: options.tellsTiming ?? false,
  });
  await service.listen({ host: "127.0.0.1", port: 0 });
  onCleanup(async () => {
    tunnels.close();
    engine.close();
    await service.close(0);
  });
  const { port } = service.server.address() as AddressInfo;
  return {
    port,
    service,
    tunnels,
    connect: (connection) => new RawClient(port, connection),
    counts: () => recorder.takeWindow(performance.now()),
  };
}
