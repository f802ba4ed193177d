import type { Family } from "../../lib/program/metrics.js";
import type { HostSample } from "../../lib/telemetry/telemetry.js";

/** The agent's metrics: its last sample, or none before the first one. */
export function toAgentFamilies(sample: HostSample | undefined): Family[] {
  if (sample === undefined) return [];
  const { target, up, cpuRatio, rssBytes, probe } = sample;
  const gauge = (name: string, help: string, value: number | null): Family => ({
    name,
    help,
    type: "gauge",
    samples: value === null ? [] : [[value, { target }]],
  });
  return [
    gauge("serin_app_up", "Whether the app's process is running.", Number(up)),
    gauge(
      "serin_app_cpu_ratio",
      "CPU use of the app since the previous sample; 1 is one core.",
      cpuRatio,
    ),
    gauge(
      "serin_app_resident_memory_bytes",
      "Resident memory of the app.",
      rssBytes,
    ),
    gauge(
      "serin_app_probe_success",
      "Whether the app's health check succeeds.",
      Number(probe.ok),
    ),
    gauge(
      "serin_app_probe_duration_seconds",
      "Time until the head of the health check's response, or until its failure.",
      probe.ms / 1000,
    ),
  ];
}
