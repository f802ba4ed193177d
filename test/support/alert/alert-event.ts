import type { MailSettings } from "../../../apps/monitor/alert/message/compose.js";
import { createKeys } from "../../../lib/redis/keys.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";

export const MAIL_SETTINGS: MailSettings = {
  from: "serin@example.com",
  to: ["ops@example.com", "dev@example.com"],
  keys: createKeys("serin:"),
  flagName: "feature",
  monitorUrl: "http://127.0.0.1:8090",
  dashboardUrl: "https://serin.example.com",
  redisCli: "redis-cli",
  tokenRequired: false,
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
    side: "canary",
    quantile: 0.95,
    latencyMs: 1012.3,
    thresholdMs: 500,
    windowMs: 10_000,
    requests: 7,
    waiting: 2,
    p50Ms: 4.12,
    p95Ms: 1012.3,
    p99Ms: null,
    nextTryAt: "2026-03-01T12:01:00.123Z",
    latched: false,
  },
};

/** Another event: `LATENCY_FLIP` with changes. */
export function event(fields: Partial<LedgerEvent>): LedgerEvent {
  return { ...LATENCY_FLIP, ...fields };
}
