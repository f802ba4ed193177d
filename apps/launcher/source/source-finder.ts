import { existsSync, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import {
  findServiceFile,
  readServiceFile,
  type ServiceFile,
} from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { LaunchError } from "../config.js";
import { FAULTS } from "../options.js";
import type { Source } from "../processes/service.js";
import {
  isBuilt,
  markBuilt,
  markUnbuilt,
  type Checkout,
  type CheckoutCache,
} from "./checkout.js";
import { Repository } from "./repository.js";

interface SourceFinderOptions {
  /** As the working tree describes it. */
  service: ServiceFile;
  /** A revision or a folder; by default the stable revision, or else the last commit. */
  prod: string | undefined;
  /** A folder instead of the service's own. */
  canary: string | undefined;
  /** Whether the working tree is built, in a copy. */
  isBuilt: boolean;
  cwd: string;
  env: Environment;
  openCache: () => CheckoutCache;
  build: (side: Side, checkout: Checkout, label: string) => Promise<void>;
}

/**
 * Finds what each side runs, and builds it. The user's working tree is never built in place, because a release's `build`
 * may remove what developers need, such as their tools in node_modules.
 */
export class SourceFinder {
  readonly #options: SourceFinderOptions;
  #prod: Checkout | undefined;
  /** The commit that the canary was last built from. */
  #canaryCommit: string | undefined;

  constructor(options: SourceFinderOptions) {
    this.#options = options;
  }

  /** @throws LaunchError if the revision does not exist or cannot be built */
  async openProd(): Promise<Source> {
    const { service, prod, cwd, env } = this.#options;
    if (prod !== undefined && isFolder(prod))
      return await this.#openFolder(resolve(cwd, prod));
    const repository = await Repository.open(service.directory, env);
    if (repository === undefined) {
      if (prod !== undefined)
        throw new LaunchError(
          `--prod ${prod}: ${service.directory} is in no Git repository`,
          2,
        );
      return await this.#openTree("it is in no Git repository");
    }
    const revision = prod ?? (await this.#findStable(repository)) ?? "HEAD";
    const commit = await repository.findCommit(revision);
    const has = commit !== undefined && (await repository.hasFolder(commit));
    if (has) return await this.#openCommit(repository, revision, commit);
    const missing =
      commit === undefined
        ? `there is no commit ${revision} in ${repository.root}`
        : `${revision} does not hold ${repository.prefix}`;
    if (prod !== undefined)
      throw new LaunchError(`--prod ${revision}: ${missing}`, 2);
    return await this.#openTree(missing);
  }

  get canaryDirectory(): string {
    const { service, canary, cwd } = this.#options;
    return canary === undefined ? service.directory : resolve(cwd, canary);
  }

  /** What the canary runs after changes of these files; undefined if it is what it runs already. */
  async reopenCanary(paths: readonly string[]): Promise<Source | undefined> {
    if (!(await this.#arePartOfCanary(paths))) return undefined;
    const before = this.#canaryCommit;
    const source = await this.openCanary();
    const isSame = before !== undefined && before === this.#canaryCommit;
    return isSame ? undefined : source;
  }

  /** Call it after `openProd`. @throws LaunchError if it cannot be built */
  async openCanary(): Promise<Source> {
    const { env, isBuilt } = this.#options;
    const directory = this.canaryDirectory;
    if (this.#options.canary !== undefined && !isExistingFolder(directory))
      throw new LaunchError(
        `--canary ${this.#options.canary}: it is no fault (${FAULTS.join(", ")}), and there is no folder ${directory}`,
        2,
      );
    const source = await this.#openFolder(directory);
    const { build } = source.service;
    if (build === undefined || !isBuilt) return source;
    const repository = await Repository.open(directory, env);
    if (repository === undefined)
      return withoutBuild(source, `${directory} is in no Git repository`);
    const commit = await repository.snapshot();
    const checkout =
      this.#prod?.commit === commit
        ? this.#prod
        : await this.#open("canary", commit, repository);
    // A build that fails may have been tried before.
    this.#canaryCommit = undefined;
    await this.#build("canary", checkout, source.label);
    this.#canaryCommit = commit;
    return { ...source, service: checkout.service };
  }

  /**
   * Whether changes of these files make another canary. What the service writes does not, and what Git ignores only if the
   * working tree runs as the user has built it.
   */
  async #arePartOfCanary(paths: readonly string[]): Promise<boolean> {
    const { service, env, isBuilt } = this.#options;
    const isWritten = (path: string) =>
      service.writable.some((folder) => `${path}/`.startsWith(`${folder}/`));
    const others = paths.filter((path) => !isWritten(path));
    if (!isBuilt || others.length === 0) return others.length > 0;
    const repository = await Repository.open(this.canaryDirectory, env);
    return repository === undefined || !(await repository.ignoresAll(others));
  }

  /** The branch that prod runs, if there is one. `serin release` moves it. */
  async #findStable(repository: Repository): Promise<string | undefined> {
    const { service, stable } = this.#options.service;
    const { SERIN_STABLE: given = stable } = this.#options.env;
    const names =
      given === undefined ? [`stable-${service}`, "stable"] : [given];
    for (const name of names)
      if ((await repository.findCommit(name)) !== undefined) return name;
    return undefined;
  }

  async #openCommit(
    repository: Repository,
    revision: string,
    commit: string,
  ): Promise<Source> {
    const checkout = await this.#open("prod", commit, repository);
    this.#prod = checkout;
    const label = `${revision} (${commit.slice(0, 10)})`;
    await this.#build("prod", checkout, label);
    const { service } = checkout;
    const what = `It runs in a clean checkout of ${label}`;
    const advice =
      service.build === undefined
        ? `${what}: if it needs packages or a build, give \`build\` in serin.yml`
        : `${what}, after \`${service.build}\``;
    const release = await repository.nameRelease(commit);
    return { service, release, label, advice };
  }

  async #open(
    side: Side,
    commit: string,
    repository: Repository,
  ): Promise<Checkout> {
    const { service: current, openCache } = this.#options;
    return await openCache().open(side, commit, { repository, current });
  }

  async #build(side: Side, checkout: Checkout, label: string): Promise<void> {
    if (checkout.service.build === undefined || isBuilt(checkout)) return;
    markUnbuilt(checkout);
    await this.#options.build(side, checkout, label);
    markBuilt(checkout);
  }

  async #openTree(why: string): Promise<Source> {
    const source = await this.#openFolder(this.#options.service.directory);
    const labelled = { ...source, label: `${source.label}, because ${why}` };
    return this.#options.isBuilt ? withoutBuild(labelled, why) : labelled;
  }

  /** The folder as it is. */
  async #openFolder(directory: string): Promise<Source> {
    const { service: current, env } = this.#options;
    if (!isExistingFolder(directory))
      throw new LaunchError(`there is no folder ${directory}`, 2);
    const path = findServiceFile(directory);
    const service = existsSync(path)
      ? readServiceFile(path)
      : { ...current, path, directory };
    const isOwn = directory === current.directory;
    const label = isOwn ? "the working tree" : directory;
    const repository = await Repository.open(directory, env);
    return { service, release: await nameRelease(repository), label };
  }
}

function isExistingFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The user's own files are not built in their place. */
function withoutBuild(source: Source, why: string): Source {
  const { build } = source.service;
  if (build === undefined) return source;
  const advice = `\`${build}\` was not run, because ${why}: the service runs as it is there`;
  return { ...source, advice, isUnbuilt: true };
}

async function nameRelease(
  repository: Repository | undefined,
): Promise<string> {
  // Each start is a release of its own: the verdict must not count those of other files.
  const stamp = new Date().toISOString().slice(11, 19).replaceAll(":", "");
  const head = await repository?.findCommit("HEAD");
  if (repository === undefined || head === undefined)
    return `working-tree-${stamp}`;
  const release = await repository.nameRelease(head);
  return (await repository.hasChanges()) ? `${release}+${stamp}` : release;
}

/** Revisions cannot begin with a dot or a slash. */
function isFolder(text: string): boolean {
  return text.startsWith(".") || isAbsolute(text);
}
