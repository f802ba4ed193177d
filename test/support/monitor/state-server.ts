import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import type { RolloutReport } from "../../../lib/rollout/rollout-report.js";
import { specSchema, toFileTerms } from "../../../lib/rollout/spec.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { onCleanup } from "../cleanup.js";

const AT = "2026-01-01T00:00:00.000Z";
const side = { p50Ms: 1, p95Ms: 2, p99Ms: 3, windowMs: 500 };

/** The state of a monitor that watches a good canary. */
export function createGoodState(): StateReport {
  const host = {
    ...{ id: "a", pid: 1, version: "1", startedAt: AT, cpuRatio: 0 },
    ...{ rssBytes: 1, probeOk: true, probeMs: 1, unhealthyAt: null },
    seenAt: AT,
  };
  return {
    now: AT,
    silenceMs: 5000,
    flag: {
      ...{ name: "feature", value: true, by: "operator" },
      ...{ reason: "on", at: AT },
    },
    lease: { holder: "monitor@edge1:8090", epoch: 3, ageMs: 400 },
    recovery: { mode: "auto", nextTryAt: null, latched: false, waitsFor: null },
    sides: {
      prod: { ...side, requests: 36, errors: 0 },
      canary: { ...side, requests: 12, errors: 0 },
    },
    proxies: [
      {
        ...{ id: "proxy@edge1:8080", split: "3:1", canaryOpen: true },
        ...{ because: null, seenAt: AT },
      },
    ],
    hosts: [
      { ...host, target: "prod", host: "prod1", up: false },
      { ...host, target: "canary", host: "canary1", up: true },
    ],
    verdict: {
      ...{ mode: "on", outcome: "healthy", because: null, odds: "1 : 40" },
      ...{ evidence: -3, evidenceToStop: 6, canaryRequestsNeeded: 0 },
    },
    outbox: { pending: 0, held: [] },
  };
}

/** A server that answers as the monitor's API does, with what a test gives it. Closed after the test. */
export class StateServer {
  state = createGoodState();
  /** The rollout of the next answer. */
  readRollout = (): RolloutReport | null => null;
  /** Oldest first. */
  events: LedgerEvent[] = [createFlip("1000-0", false, "long ago")];
  /** Answers as a monitor without Redis. */
  isDown = false;
  url = "";

  async listen(): Promise<this> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://m");
      response.writeHead(this.isDown ? 503 : 200, {
        "content-type": "application/json",
      });
      const body = this.isDown
        ? { error: "Redis cannot be reached; try again" }
        : pathname === "/api/state"
          ? { ...this.state, rollout: this.readRollout() }
          : this.#find(searchParams);
      response.end(JSON.stringify(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onCleanup(() => {
      server.closeAllConnections();
      return server.close();
    });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this;
  }

  #find(query: URLSearchParams): LedgerEvent[] {
    const after = parseInt(query.get("after") ?? "0");
    const kind = query.get("kind");
    return this.events
      .toReversed()
      .filter((event) => kind === null || event.kind === kind)
      .filter(({ id }) => parseInt(id) > after)
      .slice(0, Number(query.get("limit")));
  }
}

export function createRollout(fields: Partial<RolloutReport>): RolloutReport {
  return {
    ...{ id: 41, candidate: "0.3.0", stable: "0.2.0", phase: "Progressing" },
    ...{ step: 0, stepStartedAt: AT, weight: 2, checked: false, promoted: 0 },
    ...{ pausedAt: null, heldBy: null, heldSince: null, outcome: null },
    ...{ by: "monitor", reason: "p95 1,012 ms > 500 ms", harm: 0 },
    ...{
      at: AT,
      startedAt: AT,
      spec: toFileTerms(specSchema.parse({ rollout: {}, analysis: {} })),
    },
    ...fields,
  };
}

export function createFlip(
  id: string,
  value: boolean,
  reason: string,
): LedgerEvent {
  const data = { flag: "feature", value };
  return { id, kind: "flip", by: "monitor", reason, at: "now", data };
}
