import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const MAJOR = 24;

/**
 * The Node that runs the proxies: BENCH_NODE, this one if it has the right major version, or the one from npm's registry,
 * installed where .ci/run keeps it.
 */
export function findNode(env: NodeJS.ProcessEnv): string {
  if (env.BENCH_NODE !== undefined) return env.BENCH_NODE;
  if (process.version.startsWith(`v${MAJOR}.`)) return process.execPath;
  const cache =
    env.SERIN_CACHE ??
    join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "serin");
  const prefix = join(cache, `node-${MAJOR}`);
  const name = `node-linux-${process.arch}`;
  const binary = join(prefix, "node_modules", name, "bin", "node");
  if (!existsSync(binary)) install(prefix, `${name}@${MAJOR}`);
  return binary;
}

function install(prefix: string, name: string): void {
  console.error(`installing ${name} into ${prefix}`);
  const options = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    execFileSync("npm", ["install", "--prefix", prefix, ...options, name], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch {
    throw new Error(
      `${name} could not be installed: set BENCH_NODE to a Node ${MAJOR}`,
    );
  }
}
