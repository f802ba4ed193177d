import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
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

  /**
   * @throws LaunchError if another `serin dev` uses them
   */
  constructor(service: ServiceFile, env: Environment) {
    const cache = env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), ".cache");
    const place = createHash("sha256").update(service.path).digest("hex");
    const name = `${service.service}-${place.slice(0, 10)}`;
    this.#folder = join(cache, "serin", "dev", name);
    mkdirSync(this.#folder, { recursive: true });
    this.#lock();
  }

  close(): void {
    rmSync(this.#lockFile, { force: true });
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

  get #lockFile(): string {
    return join(this.#folder, "lock");
  }

  #lock(): void {
    const holder = existsSync(this.#lockFile)
      ? Number(readFileSync(this.#lockFile, "utf8"))
      : 0;
    if (holder > 0 && holder !== process.pid && isRunning(holder))
      throw new LaunchError(
        `another serin dev runs this service (process ${holder}): stop it first`,
      );
    writeFileSync(this.#lockFile, String(process.pid));
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

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === "EPERM";
  }
}
