import type { Family } from "../../lib/program/metrics.js";
import type { HostSample } from "../../lib/telemetry/telemetry.js";

/** What the agent tells Prometheus: its last sample, and nothing before it has one. */
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
    gauge("serin_app_up", "Whether the app's process is there.", Number(up)),
    gauge(
      "serin_app_cpu_ratio",
      "The app's use of the CPU since the sample before; 1 is one core.",
      cpuRatio,
    ),
    gauge(
      "serin_app_resident_memory_bytes",
      "The app's resident memory.",
      rssBytes,
    ),
    gauge(
      "serin_app_probe_success",
      "Whether the app's health check answers as it should.",
      Number(probe.ok),
    ),
    gauge(
      "serin_app_probe_duration_seconds",
      "Until the head of the health check's answer, or until its failure.",
      probe.ms / 1000,
    ),
  ];
}
