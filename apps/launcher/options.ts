import type { Environment } from "../../lib/settings/settings.js";
import type { Terminal } from "./steering/keys.js";

export const FAULTS = ["slow", "errors", "crash", "hang"] as const;
/** What the canary is made to do, to see how it is stopped. */
export type Fault = (typeof FAULTS)[number];

/** The options of `serin dev`, as parsed. */
export interface DevOptions {
  /** The path of serin.yml. */
  file: string;
  /** What prod runs: a Git revision or a folder. */
  prod?: string | undefined;
  /** The folder that the canary runs. */
  canary?: string | undefined;
  fault?: Fault | undefined;
  /** False if the working tree runs as it is. */
  build: boolean;
  /** Whether a change of files restarts the canary. */
  watch: boolean;
  traffic: boolean;
  /** What the traffic consists of, such as `GET /, POST /set/a`. */
  requests?: string | undefined;
}

interface OutputStream {
  write: (text: string) => unknown;
}

export interface LauncherOptions extends DevOptions {
  cwd: string;
  env: Environment;
  /** A terminal whose keys steer the canary. */
  terminal?: Terminal | undefined;
  /** A terminal, or whatever else takes text. */
  stdout: OutputStream;
  stderr: OutputStream;
  signal: AbortSignal;
  /** Holds a folder for each program, with its main.js. */
  programsDirectory: string;
  /** For a folder of this run's own. */
  tempDirectory: string;
}
