/** The names of all keys in Redis. No other file spells one. */
export interface Keys {
  readonly prefix: string;
  /** String `true` or `false`. Absent means `true` if it never had a value; any other value counts as `false`. */
  flag: (name: string) => string;
  /** String, the canary's share in percent, such as `7.5`. Absent: `SPLIT` holds. */
  flagWeight: (name: string) => string;
  /** Hash: `by`, `reason`, `at`, `value` and `event` of the last flip. */
  flagInfo: (name: string) => string;
  /** String, JSON: the monitor's cool-down after its own flip. Any other flip deletes it. */
  recovery: (name: string) => string;
  /** Hash: `state` (JSON: the running test and prod's baseline) and `fence`, the lease under which it was stored. */
  verdict: (name: string) => string;
  /** Hash: the current or last rollout (lib/rollout/rollout.ts). */
  rollout: (name: string) => string;
  /** String with a time to live, JSON: `holder` and `epoch` of the leading monitor. */
  lease: string;
  /** Integer: the last epoch. Epochs keep growing when leases expire. */
  leaseEpoch: string;
  /** Stream: traffic windows and host samples. */
  telemetry: string;
  /** Stream: the ledger. */
  events: string;
  /** Stream with the consumer group `couriers`: mails that wait to be sent. */
  outbox: string;
  /** Hash: when each raised alert was raised, by id. */
  alerts: string;
  /** Present with a time to live: this link of a message was used. */
  usedLink: (link: string) => string;
  kv: (key: string) => string;
}

export function createKeys(prefix: string): Keys {
  return {
    prefix,
    flag: (name) => `${prefix}flag:${name}`,
    flagWeight: (name) => `${prefix}flag:${name}:weight`,
    flagInfo: (name) => `${prefix}flag:${name}:info`,
    recovery: (name) => `${prefix}recovery:${name}`,
    verdict: (name) => `${prefix}verdict:${name}`,
    rollout: (name) => `${prefix}rollout:${name}`,
    lease: `${prefix}lease`,
    leaseEpoch: `${prefix}lease:epoch`,
    telemetry: `${prefix}telemetry`,
    events: `${prefix}events`,
    outbox: `${prefix}outbox`,
    alerts: `${prefix}alerts`,
    usedLink: (link) => `${prefix}link:${link}`,
    kv: (key) => `${prefix}kv:${key}`,
  };
}
