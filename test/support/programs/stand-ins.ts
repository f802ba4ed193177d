import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTempDirectory } from "../temp-directory.js";
import { LauncherProcess, LocalLauncher } from "./launcher.js";
import type { Environment } from "./subprocess.js";

const PROGRAMS = ["app", "agent", "proxy", "monitor"] as const;
const STAND_IN = new URL("./launcher-stand-in.js", import.meta.url).href;
const RUN_LAUNCHER = new URL(
  "../../../apps/launcher/run-launcher.js",
  import.meta.url,
).href;

/** In the place of the programs that a launcher runs: each is ready at once, unless its script is replaced. */
export class StandIns {
  readonly #directory = createTempDirectory();
  readonly #pidDirectory = createTempDirectory();

  constructor(
    scripts: Partial<Record<(typeof PROGRAMS)[number], string>> = {},
  ) {
    const standIn = `import { runStandIn } from "${STAND_IN}"; await runStandIn();`;
    this.#write("package.json", '{ "type": "module" }');
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
    options: { args?: readonly string[]; env?: Environment } = {},
  ): LocalLauncher {
    return new LocalLauncher({
      ...options,
      programsDirectory: this.#directory,
      env: { STAND_IN_PIDS: this.#pidDirectory, ...options.env },
    });
  }

  /** Runs them by a launcher in a process of its own. */
  launchProcess(): LauncherProcess {
    const main = this.#write(
      "launch.js",
      `import { runLauncherProcess } from "${RUN_LAUNCHER}";
       await runLauncherProcess(${JSON.stringify(this.#directory)});`,
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
