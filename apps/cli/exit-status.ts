import { toPlainLines } from "../../lib/wording/plain-text.js";

/** Scripts rely on these. `serin --help` lists them. */
export const EXIT = {
  ok: 0,
  /** `status` or `doctor` found a problem, or the command failed. */
  problem: 1,
  /** Invalid command line, setting or serin.yml, or a machine that cannot do it. It says nothing about the commit. */
  usage: 2,
  /** Redis, the monitor, a host or another server does not answer. */
  unreachable: 3,
  /** Redis or the monitor refuses: a missing right or a wrong token. */
  refused: 4,
  /** Too little is known of the canary to decide: nothing was rejected or rolled back. */
  undecided: 5,
  /** Ctrl-C or another signal ended the command. */
  interrupted: 130,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command. Users see only its message. */
export class CliError extends Error {
  readonly status: ExitStatus;

  constructor(status: ExitStatus, message: string) {
    super(toPlainLines(message));
    this.name = "CliError";
    this.status = status;
  }
}
