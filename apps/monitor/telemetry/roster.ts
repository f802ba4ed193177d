import type {
  HostSample,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import { formatMs, formatRatio } from "../../../lib/wording/units.js";
import { createAlert, type Alert } from "../alert/alerts.js";
import type { MonitorConfig } from "../config.js";
import { advanceSpell, type HealthSpell } from "./health-spell.js";

/** Members are forgotten after this time without telemetry. */
const FORGET_MS = 3_600_000;
/** How long a stopping program may still send telemetry. */
const STOP_GRACE_MS = 60_000;

/** A known proxy or agent. Times in ms by Redis's clock. */
interface Member {
  source: string;
  seenAt: number;
}

export interface ProxyMember extends Member {
  kind: "proxy";
  window: TrafficWindow;
}

export interface HostMember extends Member {
  kind: "host";
  sample: HostSample;
  /** Undefined while the app is healthy. */
  spell: HealthSpell | undefined;
  lastUnhealthyAt: number | null;
  /** Since when every sample has been above the CPU threshold. */
  cpuAboveSince: number | null;
}

type RosterRules = Pick<MonitorConfig, "cpu" | "silenceMs" | "alertDelayMs">;

/** All known proxies and agents, and their alerts. */
export class Roster {
  readonly #rules: RosterRules;
  readonly #proxies = new Map<string, ProxyMember>();
  readonly #hosts = new Map<string, HostMember>();
  /** Orderly stops, by source; also of unknown ones, because the ledger may be read ahead of the telemetry. */
  readonly #stops = new Map<string, number>();

  constructor(rules: RosterRules) {
    this.#rules = rules;
  }

  proxies(): ProxyMember[] {
    return [...this.#proxies.values()].filter(
      ({ source }) => !this.#stops.has(source),
    );
  }

  hosts(): HostMember[] {
    return [...this.#hosts.values()].filter(
      ({ source }) => !this.#stops.has(source),
    );
  }

  heardTraffic(source: string, window: TrafficWindow, atMs: number): void {
    this.#endLateStop(source, atMs);
    this.#proxies.set(source, { kind: "proxy", source, seenAt: atMs, window });
  }

  heardHost(source: string, sample: HostSample, atMs: number): void {
    this.#endLateStop(source, atMs);
    const previous = this.#hosts.get(source);
    const wasSilent =
      previous !== undefined && atMs - previous.seenAt > this.#rules.silenceMs;
    const isHealthy = sample.up && sample.probe.ok && !wasSilent;
    this.#hosts.set(source, {
      kind: "host",
      source,
      seenAt: atMs,
      sample,
      // The app's health during the silence is unknown.
      spell: advanceSpell(wasSilent ? undefined : previous?.spell, sample, {
        now: atMs,
        delayMs: this.#rules.alertDelayMs,
      }),
      lastUnhealthyAt: isHealthy ? (previous?.lastUnhealthyAt ?? null) : atMs,
      cpuAboveSince: this.#cpuAboveSince(previous, sample, atMs),
    });
  }

  /** Restarts after a gap in the samples, or with a new process. */
  #cpuAboveSince(
    previous: HostMember | undefined,
    sample: HostSample,
    atMs: number,
  ): number | null {
    if ((sample.cpuRatio ?? 0) <= this.#rules.cpu.threshold) return null;
    const isSameRun =
      previous?.sample.pid === sample.pid &&
      atMs - previous.seenAt <= this.#rules.silenceMs;
    return (isSameRun ? previous.cpuAboveSince : null) ?? atMs;
  }

  /** After an orderly stop, silence raises no alert. */
  stopped(source: string, atMs: number): void {
    this.#stops.set(source, atMs);
  }

  started(source: string): void {
    this.#stops.delete(source);
  }

  /** Telemetry long after a stop ends it; telemetry during the stop does not. */
  #endLateStop(source: string, atMs: number): void {
    const stoppedAt = this.#stops.get(source);
    if (stoppedAt !== undefined && atMs - stoppedAt >= STOP_GRACE_MS)
      this.#stops.delete(source);
  }

  /** Whether it is not silent, so that a missing alert is over. @param heardUntil the time read up to, here and below */
  hears(source: string, heardUntil: number): boolean {
    if (this.#stops.has(source)) return true;
    const member = this.#proxies.get(source) ?? this.#hosts.get(source);
    return (
      member !== undefined &&
      heardUntil - member.seenAt <= this.#rules.silenceMs
    );
  }

  /** Whether the agent's last sample shows its app gone or failing its probe. */
  isUnwell(source: string): boolean {
    const isStopped = this.#stops.has(source);
    return !isStopped && this.#hosts.get(source)?.spell !== undefined;
  }

  /** The last failed probe or silence of an agent on this side; null if none, undefined without an agent. */
  lastUnhealthyAt(side: Side, heardUntil: number): number | null | undefined {
    const hosts = this.hosts().filter(({ sample }) => sample.target === side);
    if (hosts.length === 0) return undefined;
    const times = hosts.map(({ source, lastUnhealthyAt }) =>
      this.hears(source, heardUntil) ? (lastUnhealthyAt ?? 0) : heardUntil,
    );
    return Math.max(...times) || null;
  }

  /** Which app on this side is not healthy now; undefined if all are. */
  findUnwell(side: Side, heardUntil: number): string | undefined {
    for (const member of this.hosts()) {
      const { source, sample } = member;
      if (sample.target !== side) continue;
      if (!this.hears(source, heardUntil))
        return `the agent ${source}, which is silent`;
      const { name } = describeApp(member);
      if (!sample.up) return `${name}, which is gone`;
      if (!sample.probe.ok)
        return `${name}, which fails its health probe: ${sample.probe.status === null ? "no answer" : describeAnswer(member)}`;
    }
    return undefined;
  }

  /** All alerts at present. @param listeningSince the time since which the stream has been read without a gap */
  alerts(heardUntil: number, listeningSince: number): Alert[] {
    this.#forget(heardUntil);
    return [...this.proxies(), ...this.hosts()].flatMap((member) => {
      const silentMs = heardUntil - Math.max(member.seenAt, listeningSince);
      if (silentMs > this.#rules.silenceMs) return [silence(member)];
      return member.kind === "host" ? this.#hostAlerts(member) : [];
    });
  }

  #hostAlerts(member: HostMember): Alert[] {
    const { source, sample, cpuAboveSince, seenAt } = member;
    const { cpuRatio } = sample;
    const { name, data } = describeApp(member);
    const alerts = healthAlerts(member);
    const { threshold, windowMs } = this.#rules.cpu;
    if (cpuAboveSince !== null && seenAt - cpuAboveSince >= windowMs) {
      const reason = `${name} has used more than ${formatRatio(threshold)} of a core for ${windowMs / 1000} s, ${formatRatio(cpuRatio ?? 0)} now`;
      const figures = { ...data, cpuRatio, threshold, windowMs };
      alerts.push(createAlert("cpu", { of: source, reason, data: figures }));
    }
    return alerts;
  }

  #forget(now: number): void {
    for (const members of [this.#proxies, this.#hosts]) {
      for (const { source, seenAt } of members.values())
        if (now - seenAt > FORGET_MS) members.delete(source);
    }
    for (const [source, stoppedAt] of this.#stops)
      if (now - stoppedAt > FORGET_MS) this.#stops.delete(source);
  }
}

function describeApp({ source, sample }: HostMember) {
  const { target, host, pid } = sample;
  const data = { source, target, host, pid };
  return { name: `the ${target} app on ${host}`, data };
}

function healthAlerts(member: HostMember): Alert[] {
  const { source, spell } = member;
  if (spell === undefined) return [];
  const { ms, status } = member.sample.probe;
  const { name, data } = describeApp(member);
  const sinceAt = new Date(spell.since).toISOString();
  return spell.lasting.map((alert) =>
    createAlert(alert, {
      of: source,
      ...(alert === "gone"
        ? { reason: `${name} is gone`, data: { ...data, sinceAt } }
        : {
            reason: `${name} fails its health probe: ${describeAnswer(member)}`,
            data: { ...data, probeMs: ms, probeStatus: status, sinceAt },
          }),
    }),
  );
}

function describeAnswer({ sample: { probe } }: HostMember): string {
  return probe.status === null
    ? `no answer in ${formatMs(probe.ms)}`
    : `status ${probe.status}`;
}

function silence(member: ProxyMember | HostMember): Alert {
  const what =
    member.kind === "proxy"
      ? "the proxy"
      : `the agent of ${member.sample.target}`;
  const lastSeenAt = new Date(member.seenAt).toISOString();
  return createAlert("silence", {
    of: member.source,
    reason: `${what} ${member.source} has fallen silent; it was last heard at ${lastSeenAt}`,
    data: { source: member.source, lastSeenAt },
  });
}
