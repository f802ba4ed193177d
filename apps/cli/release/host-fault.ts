import { statfsSync } from "node:fs";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";

const NO_SPACE =
  /\b(ENOSPC|EDQUOT)\b|no space left on device|disk quota exceeded/i;
/** How npm, pnpm, pip, Git and Go say that a server does not answer. */
const NO_ANSWER =
  /^npm (error|ERR!) (network|code (E5\d\d|E(AI_AGAIN|NOTFOUND|TIMEDOUT|CONN\w+|NETUNREACH|HOSTUNREACH)|ERR_SOCKET_TIMEOUT|\w*CERT\w*)$)|ERR_PNPM_META_FETCH_FAIL|getaddrinfo E(NOTFOUND|AI_AGAIN)|temporary failure in name resolution|could not resolve host|failed to establish a new connection|network is unreachable/im;
/** With less, a test may have failed for lack of space. */
const NEEDED_BYTES = 4 * 1024 * 1024;

/**
 * Tells from a program's output whether this machine or the network failed, which says nothing about the commit. In doubt they
 * did: a bad commit that is kept costs a build, a good one that is rejected costs trust.
 */
export function findHostFault(output: string): ExitStatus | undefined {
  if (NO_SPACE.test(output)) return EXIT.usage;
  return NO_ANSWER.test(output) ? EXIT.unreachable : undefined;
}

/** A program that failed on this machine. */
export function createProgramError(program: string, why: string): CliError {
  return new CliError(findHostFault(why) ?? EXIT.problem, `${program}: ${why}`);
}

/** @throws CliError if a file system is full: whatever failed may be good */
export function requireSpace(
  folders: readonly string[],
  bytes = NEEDED_BYTES,
): void {
  for (const folder of folders) {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < bytes)
      throw new CliError(
        EXIT.usage,
        `not rejected: no space is left in ${folder}, and the commit may have failed for that. Make room, and build it again`,
      );
  }
}
