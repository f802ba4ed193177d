import { delimiter, join } from "node:path";
import {
  HiddenListener,
  ListenerFinder,
} from "../../../lib/program/find-listener.js";
import type { ServiceFile } from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { originOf } from "../addresses.js";
import type { ProgramSpec } from "./child.js";
import { cureEnding, findFault } from "./health.js";
import { logFileOf, pidFileOf, redisUrlOf, type Layout } from "./programs.js";

/** What one side runs. */
export interface Source {
  /** By the serin.yml beside the code, so that its command and environment are the release's own. */
  service: ServiceFile;
  release: string;
  /** For people, such as `stable (1a2b3c4d5e)` or `the working tree`. */
  label: string;
  /** What to check when it does not start. */
  advice?: string;
  /** Whether its `build` was left out, as the advice says. */
  isUnbuilt?: boolean;
}

/** What each side runs; undefined for a side that the user runs. */
export type Sources = Record<Side, Source | undefined>;

export function describeService(
  side: Side,
  { service, release, advice }: Source,
  layout: Layout,
  port = layout.ports[`${side}App`],
): ProgramSpec {
  const { config, ports, workspace } = layout;
  const { host } = config;
  const name = `${side} app`;
  const origin = originOf(host, port);
  const findOwnFault = () => findFault(service.health, origin);
  return {
    name,
    command: "/bin/sh",
    args: ["-c", service.run],
    cwd: service.directory,
    env: {
      ...service.env.clear,
      ...commandEnvironment(service.directory, config.env),
      PORT: String(port),
      HOST: host,
      SERIN_SIDE: side,
      SERIN_RELEASE: release,
      SERIN_REDIS_URL: redisUrlOf(layout),
      KEY_PREFIX: config.keyPrefix,
      FLAG_NAME: config.flagName,
      OFREP_ENDPOINT: originOf(host, ports[`${side}Agent`]),
    },
    logFile: logFileOf(name, workspace),
    pidFile: pidFileOf(side, workspace),
    isReady: async () => (await findOwnFault()) === undefined,
    cure: (ending) =>
      ending === undefined ? findOwnFault() : cureEnding(ending),
    findPid: () => findPid(origin),
    readyWithinMs: service.health.startMs,
    readyAt: origin + (service.health.path ?? ""),
    ...(advice !== undefined && { advice }),
  };
}

/** For a command of serin.yml: like npm, it finds the programs of the service's packages. */
export function commandEnvironment(
  directory: string,
  env: Environment,
): Environment {
  const programs = join(directory, "node_modules", ".bin");
  return { ...env, PATH: [programs, env.PATH ?? ""].join(delimiter) };
}

/** Names of secrets without a value in the shell. */
export function findMissingSecrets(
  { env: { secret } }: ServiceFile,
  env: Environment,
): string[] {
  return secret.filter((name) => env[name] === undefined);
}

async function findPid(origin: string): Promise<number | undefined> {
  try {
    return (await new ListenerFinder(new URL(origin)).find()) ?? undefined;
  } catch (err) {
    if (err instanceof HiddenListener) return undefined;
    throw err;
  }
}
