import type { CliConfig } from "../config.js";
import type { Output } from "../output.js";
import type { MonitorClient } from "../sources/monitor-client.js";
import type { RedisLink } from "../sources/redis-link.js";

/** Settings, connections and output of a command. */
export interface CommandContext {
  config: CliConfig;
  link: RedisLink;
  monitor: MonitorClient;
  output: Output;
}
