/** The names of everything Serin keeps in Redis; no other file spells one. */
export interface Keys {
  readonly prefix: string;
  /** String `true` or `false`; absent means `true`, anything else counts as `false`. */
  flag: (name: string) => string;
  /** Hash: `by`, `reason`, `at`, `value` and `event` of the last flip. */
  flagInfo: (name: string) => string;
  /** String, JSON: the monitor's cool-down after its own flips. Gone as soon as anyone else flips. */
  recovery: (name: string) => string;
  /** Hash: `state` (JSON: the running test and what is known of prod) and `fence`, the lease under which it was stored. */
  verdict: (name: string) => string;
  /** String with a time to live, JSON: `holder` and `epoch` of the leading monitor. */
  lease: string;
  /** Integer: the last epoch handed out, so that epochs grow beyond a lease's life. */
  leaseEpoch: string;
  /** Stream: traffic windows and host samples. */
  telemetry: string;
  /** Stream: the ledger. */
  events: string;
  /** Stream with the consumer group `couriers`: mails still to be sent. */
  outbox: string;
  /** Hash: the alerts that are raised and not yet cleared, by id. */
  alerts: string;
  kv: (key: string) => string;
}

export function createKeys(prefix: string): Keys {
  return {
    prefix,
    flag: (name) => `${prefix}flag:${name}`,
    flagInfo: (name) => `${prefix}flag:${name}:info`,
    recovery: (name) => `${prefix}recovery:${name}`,
    verdict: (name) => `${prefix}verdict:${name}`,
    lease: `${prefix}lease`,
    leaseEpoch: `${prefix}lease:epoch`,
    telemetry: `${prefix}telemetry`,
    events: `${prefix}events`,
    outbox: `${prefix}outbox`,
    alerts: `${prefix}alerts`,
    kv: (key) => `${prefix}kv:${key}`,
  };
}
