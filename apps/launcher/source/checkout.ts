import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "../../../lib/program/process-lock.js";
import { cacheFolder } from "../../../lib/program/user-folders.js";
import {
  readServiceFile,
  type ServiceFile,
} from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { LaunchError } from "../config.js";
import type { Repository } from "./repository.js";

/** A commit of the service in a folder that serin dev keeps, so that it is built once. */
export interface Checkout {
  service: ServiceFile;
  commit: string;
  /** Says by which command the commit was built. */
  stampFile: string;
}

/** The folders in the user's cache that hold a service's checkouts, one for each side. */
export class CheckoutCache {
  readonly #folder: string;
  readonly #unlock: () => void;

  /**
   * @throws LaunchError if another `serin dev` uses them
   */
  constructor(service: ServiceFile, env: Environment) {
    const place = createHash("sha256").update(service.path).digest("hex");
    const name = `${service.service}-${place.slice(0, 10)}`;
    this.#folder = join(cacheFolder(env), "dev", name);
    const taken = takeLock(join(this.#folder, "lock"));
    if (typeof taken === "number")
      throw new LaunchError(
        `another serin dev runs this service (process ${taken}): stop it first`,
      );
    this.#unlock = taken;
  }

  close(): void {
    this.#unlock();
  }

  /** @param current the service as its working tree describes it, for a commit without a serin.yml */
  async open(
    side: Side,
    commit: string,
    { repository, current }: { repository: Repository; current: ServiceFile },
  ): Promise<Checkout> {
    const root = join(this.#folder, side);
    const stampFile = `${root}.built`;
    // The checkout, or the build after it, may fail half-way.
    if (!(await repository.isAt(commit, root)))
      rmSync(stampFile, { force: true });
    const keepsIgnored = side === "canary";
    await repository.checkOut(commit, { directory: root, keepsIgnored });
    const directory = join(root, repository.prefix);
    const path = join(directory, "serin.yml");
    const service = existsSync(path)
      ? readServiceFile(path)
      : { ...current, path, directory };
    return { service, commit, stampFile };
  }
}

export function isBuilt({ commit, service, stampFile }: Checkout): boolean {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, "utf8") === stampOf(commit, service)
  );
}

export function markUnbuilt({ stampFile }: Checkout): void {
  rmSync(stampFile, { force: true });
}

export function markBuilt({ commit, service, stampFile }: Checkout): void {
  writeFileSync(stampFile, stampOf(commit, service));
}

function stampOf(commit: string, { build }: ServiceFile): string {
  return `${commit}\n${build ?? ""}\n`;
}
