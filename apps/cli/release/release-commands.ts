import { basename, dirname, join, resolve } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import {
  readServiceFile,
  ServiceFileError,
} from "../../../lib/service-file.js";
import type { CommandsContext } from "../commands/commands.js";
import { readConfig } from "../config.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { readInventory } from "./host-addresses.js";
import { MonitorClient } from "../sources/monitor-client.js";
import { readReleaseConfig } from "./config.js";
import { packageSerin } from "./packing/package-serin.js";
import { packageService } from "./packing/package-service.js";
import { rejectCommit } from "./repository/reject.js";
import { admitCommit, readRepository } from "./repository/repository.js";
import { openWorkingTree } from "./repository/working-tree.js";
import { admitByFlag } from "./watch/watch-canary.js";

type Revision = string | undefined;

/** The commands that release a service. */
export interface ReleaseCommands {
  package: (
    revision: Revision,
    options: { serin: boolean },
  ) => Promise<ExitStatus>;
  inventory: (options: { host?: string }) => Promise<ExitStatus>;
  admit: (
    revision: Revision,
    options: { force: boolean },
  ) => Promise<ExitStatus>;
  reject: (revision: Revision) => Promise<ExitStatus>;
}

/** @throws SettingsError */
export function createReleaseCommands(
  context: CommandsContext,
): ReleaseCommands {
  const { env, cwd, stdout, stopSignal } = context;
  const say = (line: string) => stdout.write(`${line}\n`);
  const config = readReleaseConfig(env);
  const path = resolve(cwd, config.serviceFile);
  const tree = openWorkingTree(dirname(path), env);
  const read = (revision: Revision) =>
    readRepository(tree, {
      ...config.repository,
      revision: revision ?? config.revision,
    });

  return {
    package: async (revision, { serin }) => {
      if (serin) say(packageSerin(packageRoot(), join(cwd, "artifacts")));
      else
        await explained(() =>
          packageService({
            ...{ tree, fileName: basename(path), signal: stopSignal(), say },
            revision: revision ?? config.revision,
          }),
        );
      return EXIT.ok;
    },
    inventory: async ({ host }) => {
      const list = async () => readInventory(readServiceFile(path));
      const printed = host === undefined ? await explained(list) : {};
      say(JSON.stringify(printed, undefined, 2));
      return EXIT.ok;
    },
    admit: async (revision, { force }) => {
      const admitted = admitCommit(read(revision), force);
      const monitor = await explained(() => connect(path, context));
      await admitByFlag(monitor);
      say(admitted);
      return EXIT.ok;
    },
    reject: (revision) => {
      rejectCommit(read(revision), say);
      return Promise.resolve(EXIT.ok);
    },
  };
}

/** The monitor on the first edge host, or at MONITOR_URL. */
function connect(path: string, { env }: CommandsContext): MonitorClient {
  const file = readServiceFile(path);
  const edge = file.servers?.edge[0];
  const ownUrl =
    edge === undefined
      ? {}
      : { MONITOR_URL: `http://${edge}:${file.ports.monitor}` };
  return new MonitorClient(
    readConfig({ ...ownUrl, ...env, FLAG_NAME: file.flag }),
  );
}

/** A bad serin.yml is an invalid command line. */
async function explained<T>(command: () => T | Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (err) {
    if (!(err instanceof ServiceFileError)) throw err;
    throw new CliError(EXIT.usage, err.message);
  }
}
