import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "../../../apps/launcher/steering/keys.js";
import type { DevOptions } from "../../../apps/launcher/options.js";
import { createTempDirectory } from "../temp-directory.js";
import { LauncherProcess, LocalLauncher } from "./launcher.js";
import type { Environment } from "./subprocess.js";

const PROGRAMS = ["app", "agent", "proxy", "monitor"] as const;
const STAND_IN = new URL("./launcher-stand-in.js", import.meta.url).href;
const LAUNCHER = new URL("../../../apps/launcher/", import.meta.url).href;
const LIB = new URL("../../../lib/", import.meta.url).href;
const SERVICE = `
service: stand-in
prefix: "serin:"
run: exec node app/main.js
`;

/** In the place of the programs that a launcher runs: each is ready at once, unless its script is replaced. */
export class StandIns {
  readonly #directory = createTempDirectory();
  readonly #pidDirectory = createTempDirectory();

  constructor(
    scripts: Partial<Record<(typeof PROGRAMS)[number], string>> = {},
  ) {
    const standIn = `import { runStandIn } from "${STAND_IN}"; await runStandIn();`;
    this.#write("package.json", '{ "type": "module" }');
    this.#write("serin.yml", SERVICE);
    for (const program of PROGRAMS) {
      mkdirSync(join(this.#directory, program));
      this.#write(
        `${program}/config.js`,
        "export const readConfig = () => {};",
      );
      this.#write(`${program}/main.js`, scripts[program] ?? standIn);
    }
  }

  /** Runs them by a launcher in this process. */
  launch(
    options: Partial<DevOptions> & {
      terminal?: Terminal;
      env?: Environment;
    } = {},
  ): LocalLauncher {
    return new LocalLauncher({
      file: this.#serviceFile,
      ...options,
      programsDirectory: this.#directory,
      env: { STAND_IN_PIDS: this.#pidDirectory, ...options.env },
    });
  }

  /** Runs them by a launcher in a process of its own. */
  launchProcess(): LauncherProcess {
    const main = this.#write(
      "launch.js",
      `import { tmpdir } from "node:os";
       import { runLauncher } from "${LAUNCHER}run-launcher.js";
       import { abortOnSignals } from "${LIB}program/stop-signals.js";
       const stopping = new AbortController();
       abortOnSignals(stopping);
       const { env, stdout, stderr } = process;
       process.exitCode = await runLauncher({
         ...{ file: "${this.#serviceFile}", prod: "${this.#directory}" },
         ...{ build: false, watch: false, traffic: false, cwd: "/" },
         ...{ env, stdout, stderr, signal: stopping.signal },
         programsDirectory: "${this.#directory}",
         tempDirectory: tmpdir(),
       });`,
    );
    return new LauncherProcess(main, [], {
      STAND_IN_PIDS: this.#pidDirectory,
    });
  }

  /** Of all that were ever started. */
  readPids(): number[] {
    return readdirSync(this.#pidDirectory).map(Number);
  }

  countRunning(): number {
    return this.readPids().filter(isRunning).length;
  }

  get #serviceFile(): string {
    return join(this.#directory, "serin.yml");
  }

  #write(path: string, text: string): string {
    const file = join(this.#directory, path);
    writeFileSync(file, text);
    return file;
  }
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
