import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinned } from "./cores.js";
import { renderWrkScript, type Scenario } from "./scenarios.js";

/** A round whose figures are invalid, because not every request was answered with 2xx. */
export class SpoiltRound extends Error {}

export interface WrkOptions {
  scenario: Scenario;
  port: number;
  seconds: number;
  cpu: number;
  /** For its script. */
  directory: string;
}

/** wrk at full load. */
export class Wrk {
  readonly #child: ChildProcess;
  readonly #answers: Promise<number>;

  constructor(options: WrkOptions) {
    const { scenario, port, seconds, cpu, directory } = options;
    const script = join(directory, `${scenario.name}.lua`);
    writeFileSync(script, renderWrkScript(scenario));
    const [file, ...args] = pinned(cpu, [
      "wrk",
      "--threads=1",
      `--connections=${scenario.connections}`,
      `--duration=${seconds}s`,
      "--timeout=10s",
      `--script=${script}`,
      `http://127.0.0.1:${port}${scenario.path}`,
    ]);
    this.#child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#answers = this.#read();
    // The rejection is reported by the awaiting caller.
    this.#answers.catch(() => undefined);
  }

  /** Resolves when it has ended. @throws SpoiltRound @returns the number of answered requests */
  async answers(): Promise<number> {
    return await this.#answers;
  }

  /** Ends it early. */
  stop(): void {
    this.#child.kill("SIGINT");
  }

  async #read(): Promise<number> {
    let output = "";
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream
        ?.setEncoding("utf8")
        .on("data", (text: string) => (output += text));
    await once(this.#child, "close");
    return readWrkCounts(output);
  }
}

/** @param output wrk's whole output, with the script's line @throws SpoiltRound */
export function readWrkCounts(output: string): number {
  const line = /^\{.*\}$/m.exec(output)?.[0];
  if (line === undefined) throw new SpoiltRound(`wrk failed: ${output}`);
  const { requests, bytes, ...errors } = JSON.parse(line) as Record<
    string,
    number
  >;
  const wrong = Object.entries(errors).filter(([, count]) => count > 0);
  if (wrong.length > 0)
    throw new SpoiltRound(
      `errors: ${wrong.map(([kind, count]) => `${kind} ${count}`).join(", ")}`,
    );
  if (requests === undefined || requests === 0 || bytes === 0)
    throw new SpoiltRound("no request was answered");
  return requests;
}
