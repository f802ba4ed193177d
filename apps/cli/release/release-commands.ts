import { basename, dirname, join, resolve } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import {
  readServiceFile,
  type ServiceFile,
} from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import type { CommandsContext } from "../commands/commands.js";
import { readConfig } from "../config.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { readInventory } from "./host-addresses.js";
import { MonitorClient } from "../sources/monitor-client.js";
import { toAnsibleJson } from "./ansible-json.js";
import { readReleaseConfig } from "./config.js";
import { packageSerin } from "./packing/package-serin.js";
import { packageService } from "./packing/package-service.js";
import { followProd } from "./repository/follow-prod.js";
import { rejectCommit } from "./repository/reject.js";
import {
  admitCommit,
  readRepository,
  type Repository,
} from "./repository/repository.js";
import { openWorkingTree } from "./repository/working-tree.js";
import { showLogs, type JournalOptions } from "./journal.js";
import { lock } from "./lock.js";
import {
  nameStable,
  releaseService,
  requireStableRelease,
} from "./release-service.js";
import {
  prepareAnsible,
  rollBack,
  setUp,
  type Setting,
} from "./service-commands.js";
import { admitByFlag } from "./rollout/admit-by-flag.js";
import { ReleaseRollout } from "./rollout/release-rollout.js";

type Revision = string | undefined;

/** The commands that release a service. */
export interface ReleaseCommands {
  package: (
    revision: Revision,
    options: { serin: boolean },
  ) => Promise<ExitStatus>;
  inventory: (options: { host?: string }) => Promise<ExitStatus>;
  setup: (options: { check: boolean }) => Promise<ExitStatus>;
  release: (
    revision: Revision,
    options: { force: boolean; skipVerdict: boolean; wait?: true | number },
  ) => Promise<ExitStatus>;
  rollback: (
    release: string | undefined,
    options: { canary: boolean; prod: boolean },
  ) => Promise<ExitStatus>;
  admit: (
    revision: Revision,
    options: { force: boolean },
  ) => Promise<ExitStatus>;
  reject: (revision: Revision) => Promise<ExitStatus>;
  logs: (
    host: string | undefined,
    options: JournalOptions,
  ) => Promise<ExitStatus>;
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
  const { repository: settings, revision: head } = config;
  const read = (revision = head, file = readServiceFile(path)) =>
    readRepository(tree, { ...settings, revision }, file);
  const pack = (revision = head, signal: AbortSignal) =>
    packageService({
      ...{ tree, fileName: basename(path), revision, signal, say },
    });
  const describe = (): Setting => ({
    file: readServiceFile(path),
    inventory: config.inventory && resolve(cwd, config.inventory),
    ...{ env, signal: stopSignal(), say },
  });
  /** Runs alone on this machine. */
  const change = (command: (setting: Setting) => Promise<void>) =>
    explained(async () => {
      const setting = describe();
      const unlock = lock(setting.file.service, env);
      try {
        await command(setting);
      } finally {
        unlock();
      }
      return EXIT.ok;
    });

  return {
    package: async (revision, { serin }) => {
      if (serin) say(packageSerin(packageRoot(), join(cwd, "artifacts")));
      else await explained(() => pack(revision, stopSignal()));
      return EXIT.ok;
    },
    inventory: async ({ host }) => {
      const list = async () => readInventory(readServiceFile(path));
      const printed = host === undefined ? await explained(list) : {};
      say(toAnsibleJson(printed, 2));
      return EXIT.ok;
    },
    setup: ({ check: isCheck }) =>
      change((setting) => setUp(setting, { isCheck, root: packageRoot() })),
    release: (revision, { force, skipVerdict, wait }) =>
      change(async (setting) => {
        const { signal } = setting;
        const repository = read(revision, setting.file);
        const admitted = admitCommit(repository, force);
        const ansible = prepareAnsible(setting);
        const monitor = connect(setting.file, env);
        if (!skipVerdict) await admitByFlag(monitor);
        say(admitted);
        const packed = await pack(revision, signal);
        const rollout = new ReleaseRollout({
          ...{ ansible, monitor, env, signal, say, file: setting.file },
          candidate: packed.commit.release,
          limitMs: limitWait(wait) ?? config.waitMs,
        });
        await releaseService({
          ...{ ansible, repository, packed, signal, say },
          rollout: skipVerdict ? undefined : rollout,
        });
      }),
    rollback: (release, sides) =>
      change(async (setting) => {
        const target = chooseTarget(sides);
        const named = nameRelease(release, () => read("HEAD"));
        const releases = await rollBack(setting, target, named);
        if (target !== "canary") say(followProd(() => read("HEAD"), releases));
      }),
    admit: (revision, { force }) =>
      explained(async () => {
        const admitted = admitCommit(read(revision), force);
        await admitByFlag(connect(readServiceFile(path), env));
        say(admitted);
        return EXIT.ok;
      }),
    reject: (revision) =>
      explained(() => {
        rejectCommit(read(revision), say);
        return EXIT.ok;
      }),
    logs: (host, options) =>
      explained(() => showLogs(path, host, { ...context, options, say })),
  };
}

function nameRelease(
  release: string | undefined,
  readHead: () => Repository,
): Record<string, string> {
  if (release === "stable") return nameStable(requireStableRelease(readHead()));
  return release === undefined ? {} : { serin_release: release };
}

function chooseTarget({ canary, prod }: { canary: boolean; prod: boolean }) {
  if (canary === prod) return "both";
  return canary ? "canary" : "prod";
}

function limitWait(wait: true | number | undefined): number | undefined {
  return wait === true ? Infinity : wait && wait * 60_000;
}

/** The monitor on the first edge host, or at MONITOR_URL. */
function connect(file: ServiceFile, env: Environment): MonitorClient {
  const edge = file.servers?.edge[0];
  const ownUrl = edge && `http://${edge}:${file.ports.monitor}`;
  const { MONITOR_URL: given = "" } = env;
  const MONITOR_URL = given === "" ? ownUrl : given;
  return new MonitorClient(
    readConfig({ ...env, MONITOR_URL, FLAG_NAME: file.flag }),
  );
}

/** A bad serin.yml is an invalid command line. An unforeseen error, such as a full disk, says nothing about the commit either. */
async function explained<T>(command: () => T | Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (err) {
    if (err instanceof CliError) throw err;
    throw new CliError(
      EXIT.usage,
      err instanceof Error ? err.message : String(err),
    );
  }
}
