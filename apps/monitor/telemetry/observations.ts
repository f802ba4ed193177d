import { LEASE_MS } from "../../../lib/flag/lease-reading.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import type {
  InstanceSummary,
  SideSummary,
} from "../../../lib/telemetry/monitor-state.js";
import {
  SIDES,
  type BadTelemetry,
  type Notice,
  type Side,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import type { Alert } from "../alert/alerts.js";
import type { MonitorConfig } from "../config.js";
import { MemoryWatch } from "./memory-watch.js";
import { Roster, type HostMember, type ProxyMember } from "./roster.js";
import { SideWindow } from "./side-window.js";
import type { StreamListener } from "./stream-reader.js";

/** The telemetry received, leading or on standby. Times in ms by Redis's clock. */
export class Observations implements StreamListener {
  readonly #windowMs: number;
  readonly #silenceMs: number;
  readonly #sides: Record<Side, SideWindow>;
  readonly #roster: Roster;
  readonly #memory: MemoryWatch;
  readonly #onNews: () => void;
  #heardUntil = 0;
  #listeningSince = Infinity;
  #gap: string | undefined;
  /** Since the last call of `takeNews`. */
  #reads = 0;
  #windows = 0;
  /** By proxy, until a window of it can be understood; by "" what names none. */
  readonly #illegible = new Map<string, { problem: string; atMs: number }>();

  /** @param onNews after each batch of telemetry, about once a second without any, and when it cannot be read */
  constructor(config: MonitorConfig, onNews: () => void) {
    const { windowMs, minRequests } = config.latency;
    this.#windowMs = windowMs;
    this.#silenceMs = config.silenceMs;
    this.#sides = {
      prod: new SideWindow(windowMs, minRequests),
      canary: new SideWindow(windowMs, minRequests),
    };
    this.#roster = new Roster(config);
    this.#memory = new MemoryWatch(config.memoryRatio);
    this.#onNews = onNews;
  }

  onTelemetry({ kind, source, data }: Telemetry, atMs: number): void {
    if (kind === "host") {
      this.#roster.heardHost(source, data, atMs);
      this.#memory.heardHost(source, data, atMs);
      return;
    }
    this.#windows += 1;
    this.#illegible.delete(source);
    this.#sides[data.target].add({ source, atMs, data });
    this.#roster.heardTraffic(source, data, atMs);
  }

  onSkipped(bad: BadTelemetry, atMs: number): void {
    const { claimedKind, claimedSource = "", problem } = bad;
    if (claimedKind !== "host")
      this.#illegible.set(claimedSource, { problem, atMs });
  }

  onNotice({ data: event }: Notice, atMs: number): void {
    this.onEvent(event, atMs);
  }

  onEvent(event: Pick<LedgerEvent, "kind" | "data">, atMs: number): void {
    const { source } = event.data;
    // A notice has been heard when it was written, not when it is entered.
    if (typeof source !== "string" || "notice" in event.data) return;
    if (event.kind === "stop") this.#roster.stopped(source, atMs);
    if (event.kind === "start") this.#roster.started(source);
  }

  onCaughtUp(heardUntil: number, listeningSince: number): void {
    this.#heardUntil = heardUntil;
    this.#listeningSince = listeningSince;
    this.#gap = undefined;
    this.#reads += 1;
    this.#onNews();
  }

  onGap(reason: string): void {
    this.#listeningSince = Infinity;
    this.#gap = reason;
    this.#onNews();
  }

  /** Why the traffic cannot be seen; undefined if it can. @param now Redis's clock */
  findBlindness(now: number): string | undefined {
    if (this.#gap !== undefined) return this.#gap;
    if (this.isCurrent && now - this.#heardUntil > LEASE_MS)
      return "telemetry is read too late";
    for (const [source, { problem, atMs }] of this.#illegible) {
      if (source === "" && this.#windows > 0) continue;
      if (this.#heardUntil - atMs <= this.#silenceMs)
        return `telemetry of ${source || "a proxy"} cannot be understood: ${problem}`;
      this.#illegible.delete(source);
    }
    return undefined;
  }

  /** Whether telemetry was read up to the present since the last call. */
  takeNews(): boolean {
    const hasNews = this.#reads > 0 && this.isCurrent;
    this.#reads = 0;
    this.#windows = 0;
    return hasNews;
  }

  /** Whether the reader has reached the time when listening began. Until then, it replays the past. */
  get isCurrent(): boolean {
    return this.#heardUntil >= this.#listeningSince;
  }

  side(side: Side): SideWindow {
    return this.#sides[side];
  }

  sideFigures(side: Side, now: number): SideSummary {
    return this.#sides[side].figures(now).summarise(this.#windowMs);
  }

  /** The instances that the proxies sent requests to. */
  instanceFigures(now: number): InstanceSummary[] {
    return SIDES.flatMap((target) =>
      [...this.#sides[target].figuresByInstance(now)].map(
        ([instance, sum]) => ({
          ...{ target, instance },
          ...sum.summarise(this.#windowMs),
        }),
      ),
    );
  }

  /** As of the newest telemetry. */
  latestFigures(side: Side): SideSummary {
    return this.sideFigures(side, this.#heardUntil);
  }

  proxies(): ProxyMember[] {
    return this.#roster.proxies();
  }

  hosts(): HostMember[] {
    return this.#roster.hosts();
  }

  /** Of the side's hosts that report; empty if unknown. */
  versions(side: Side): string[] {
    const versions = this.hosts()
      .filter(({ source, sample }) => {
        return sample.target === side && this.hears(source);
      })
      .map(({ sample }) => sample.version)
      .filter((version) => version !== null);
    return [...new Set(versions)];
  }

  hears(source: string): boolean {
    return this.#roster.hears(source, this.#heardUntil);
  }

  isUnwell(source: string): boolean {
    return this.#roster.isUnwell(source);
  }

  alerts(): Alert[] {
    return [
      ...this.#roster.alerts(this.#heardUntil, this.#listeningSince),
      ...this.#memory.alerts(this.#heardUntil),
    ];
  }

  findUnwell(side: Side): string | undefined {
    return this.#roster.findUnwell(side, this.#heardUntil);
  }

  lastUnhealthyAt(side: Side): number | null | undefined {
    return this.#roster.lastUnhealthyAt(side, this.#heardUntil);
  }
}
