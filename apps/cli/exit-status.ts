/** What scripts go by; `serin --help` lists it. */
export const EXIT = {
  ok: 0,
  /** `doctor` found something, or what was asked for cannot be. */
  problem: 1,
  /** The command line or a setting makes no sense. */
  usage: 2,
  /** Redis or the monitor does not answer. */
  unreachable: 3,
  /** Redis or the monitor says no: a missing right, a wrong token. */
  refused: 4,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command: its message is all that people see. */
export class CliError extends Error {
  readonly status: ExitStatus;

  constructor(status: ExitStatus, message: string) {
    super(message);
    this.name = "CliError";
    this.status = status;
  }
}
