import { basename, dirname, join, resolve } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import {
  readServiceFile,
  ServiceFileError,
} from "../../../lib/service-file.js";
import type { CommandsContext } from "../commands/commands.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { readInventory } from "./host-addresses.js";
import { packageSerin } from "./packing/package-serin.js";
import { packageService } from "./packing/package-service.js";
import { openWorkingTree } from "./repository/working-tree.js";

/** The commands that release a service. */
export interface ReleaseCommands {
  package: (
    revision: string | undefined,
    options: { serin: boolean },
  ) => Promise<ExitStatus>;
  inventory: (options: { host?: string }) => Promise<ExitStatus>;
}

export function createReleaseCommands(
  context: CommandsContext,
): ReleaseCommands {
  const { env, cwd, stdout, stopSignal } = context;
  const say = (line: string) => stdout.write(`${line}\n`);
  const path = resolve(cwd, env.SERIN_FILE ?? "serin.yml");

  async function packWhatIsAsked(revision: string): Promise<void> {
    await packageService({
      tree: openWorkingTree(dirname(path), env),
      fileName: basename(path),
      ...{ revision, signal: stopSignal(), say },
    });
  }

  return {
    package: async (revision = "HEAD", { serin }) => {
      if (serin) say(packageSerin(packageRoot(), join(cwd, "artifacts")));
      else await explained(packWhatIsAsked(revision));
      return EXIT.ok;
    },
    inventory: async ({ host }) => {
      const list = async () => readInventory(readServiceFile(path));
      const printed = host === undefined ? await explained(list()) : {};
      say(JSON.stringify(printed, undefined, 2));
      return EXIT.ok;
    },
  };
}

/** A bad serin.yml is an invalid command line. */
async function explained<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (err) {
    if (!(err instanceof ServiceFileError)) throw err;
    throw new CliError(EXIT.usage, err.message);
  }
}
