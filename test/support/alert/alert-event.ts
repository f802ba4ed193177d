import type { MailSettings } from "../../../apps/monitor/alert/message/compose.js";
import type { Report } from "../../../apps/monitor/alert/message/report.js";
import { createKeys } from "../../../lib/redis/keys.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";

export const MAIL_SETTINGS: MailSettings = {
  from: "serin@example.com",
  to: ["ops@example.com", "dev@example.com"],
  keys: createKeys("serin:"),
  flagName: "feature",
  system: "shop prod",
  dashboardUrl: "https://serin.example.com",
  command: "sudo serin",
  commitUrl: undefined,
  links: undefined,
};

/** A stop of the canary by the latency rule. */
export const LATENCY_FLIP: LedgerEvent = {
  id: "1772366400000-0",
  kind: "flip",
  by: "monitor",
  reason: "canary p95 1,012 ms > 500 ms over 10 s (7 requests, 2 waiting)",
  at: "2026-03-01T12:00:00.123Z",
  data: {
    flag: "feature",
    value: false,
    rule: "latency",
    brief: "p95 1,012 ms > 500 ms",
    version: "0.2.0",
    prodVersion: "0.1.9",
    side: "canary",
    quantile: 0.95,
    latencyMs: 1012.3,
    thresholdMs: 500,
    windowMs: 10_000,
    requests: 7,
    slow: 7,
    waiting: 2,
    p50Ms: 4.12,
    p95Ms: 1012.3,
    p99Ms: null,
    nextTryAt: "2026-03-01T12:01:00.123Z",
    latched: false,
  },
};

/** Its report, with nothing known beside it. */
export const LATENCY_REPORT: Report = reportOf(LATENCY_FLIP);

export function reportOf(event: LedgerEvent): Report {
  return { event, others: [], background: {} };
}

/** Another event: `LATENCY_FLIP` with changes. */
export function event(fields: Partial<LedgerEvent>): LedgerEvent {
  return { ...LATENCY_FLIP, ...fields };
}
