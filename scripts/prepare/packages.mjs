import { statSync } from "node:fs";
import { join } from "node:path";
import { endOf, tryCommand } from "./command.mjs";
import { Obstacle } from "./obstacle.mjs";
import { showStep } from "./progress.mjs";

const CI = ["ci", "--include=dev", "--no-audit", "--no-fund"];
const PING_LIMIT_MS = 5000;
/** Other errors of a registry, such as a missing page for `npm ping`, come from one that answers. */
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\b|network timeout/;

/** Installs the packages of package-lock.json, unless npm has done so since that file last changed. */
export async function ensurePackages(root) {
  // npm writes its hidden lockfile last, so an interrupted install does not look like a finished one.
  const installedAt = modifiedAt(join(root, "node_modules/.package-lock.json"));
  const lockedAt = modifiedAt(join(root, "package-lock.json"));
  if (installedAt >= lockedAt) return;
  await showStep("installing the packages (npm ci)", () => install(root));
}

/** @throws Obstacle */
async function install(root) {
  const npm = (...args) => tryCommand("npm", args, { cwd: root });
  // By itself npm would try for minutes.
  const ping = ["ping", "--fetch-retries=0"];
  const silence = await npm(...ping, `--fetch-timeout=${PING_LIMIT_MS}`);
  const why = UNREACHABLE.exec(silence ?? "")?.[0];
  const cache = why === undefined ? "--prefer-offline" : "--offline";
  const failure = await npm(...CI, cache);
  if (failure === undefined) return;
  throw new Obstacle(
    why === undefined
      ? `npm ci failed:\n${endOf(failure)}`
      : `npm's registry cannot be reached (${why}), and npm's cache does not hold all packages: connect to the network, and try again`,
  );
}

/** Ms since the epoch; 0 if the file does not exist. */
function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
