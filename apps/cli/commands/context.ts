import { createKeys, type Keys } from "../../../lib/redis/keys.js";
import type { CliConfig } from "../config.js";
import type { Output } from "../output.js";
import { MonitorClient } from "../sources/monitor-client.js";
import { RedisLink } from "../sources/redis-link.js";
import { StateSource } from "../sources/state-source.js";

/** Settings, connections and output of a command. */
export interface CommandContext {
  config: CliConfig;
  link: RedisLink;
  monitor: MonitorClient;
  keys: Keys;
  flagName: string;
  source: StateSource;
  output: Output;
}

export function createContext(
  config: CliConfig,
  output: Output,
): CommandContext {
  const { flagName } = config;
  const link = new RedisLink(config.redisUrl);
  const monitor = new MonitorClient(config);
  const keys = createKeys(config.keyPrefix);
  const source = new StateSource({ link, monitor, keys, flagName });
  return { config, link, monitor, keys, flagName, source, output };
}
