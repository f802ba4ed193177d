import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { createInterface } from "node:readline";
import {
  readServiceFile,
  type ServiceFile,
} from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import type { OutputStream } from "../output.js";
import { listHosts } from "./inventory.js";

/** SSH's status for its own failures. */
const SSH_FAILED = 255;

export interface JournalOptions {
  follow: boolean;
  lines: number;
}

interface Reading {
  env: Environment;
  options: JournalOptions;
  stopSignal: () => AbortSignal;
  say: (line: string) => void;
  stderr: OutputStream;
}

/**
 * `serin logs`: on a host, its own journal; elsewhere that of a host in serin.yml.
 *
 * @param path serin.yml
 * @throws CliError
 */
export async function showLogs(
  path: string,
  host: string | undefined,
  reading: Reading,
): Promise<ExitStatus> {
  // On an edge host, `serin` knows the service.
  const { SERIN_SERVICE: service = "" } = reading.env;
  const isHere = host === undefined || host === hostname();
  return service !== "" && isHere
    ? await readJournal(service, reading)
    : await readHostJournal(readServiceFile(path), host, reading);
}

/** Reads the journal of a service's host by SSH, as Ansible connects. @throws CliError */
async function readHostJournal(
  file: ServiceFile,
  host: string | undefined,
  reading: Reading,
): Promise<ExitStatus> {
  const { prod, canary, proxy } = listHosts(file);
  const all = Object.entries({ prod, canary, edge: proxy });
  const known = all.flatMap(([side, { hosts }]) =>
    hosts.map((name) => `${name} (${side})`),
  );
  const isKnown = all.some(([, { hosts }]) => hosts.includes(host ?? ""));
  if (host === undefined || !isKnown)
    throw new CliError(
      EXIT.usage,
      `${host === undefined ? "name a host" : `${file.path} names no host ${host}`}: ${known.join(", ")}`,
    );
  const { user, port, key, jump } = file.ssh;
  const args = [
    ...["-o", "ConnectTimeout=10"],
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(key === undefined
      ? []
      : ["-i", key.replace(/^~(?=\/)/, reading.env.HOME ?? "~")]),
    ...(jump === undefined ? [] : ["-J", jump]),
    ...["--", user === undefined ? host : `${user}@${host}`],
    // Other users may not read the journal of units.
    `$([ "$(id -u)" = 0 ] || echo sudo -n) ${quote(["journalctl", ...journalArgs(file.service, reading.options)])}`,
  ];
  const status = await run("ssh", args, reading);
  if (status !== SSH_FAILED) return status === 0 ? EXIT.ok : EXIT.problem;
  throw new CliError(EXIT.unreachable, `${host} cannot be reached by ssh`);
}

async function readJournal(
  service: string,
  reading: Reading,
): Promise<ExitStatus> {
  const args = journalArgs(service, reading.options);
  const status = await run("journalctl", args, reading);
  return status === 0 ? EXIT.ok : EXIT.problem;
}

/** The units of the service and of Serin's programs for it. */
function journalArgs(service: string, options: JournalOptions): string[] {
  const units = ["@*", "-agent@*", "-proxy", "-monitor"];
  return [
    ...["--no-pager", "--quiet", "--output=short-iso", "--utc"],
    `--lines=${options.lines}`,
    ...(options.follow ? ["--follow"] : []),
    ...units.map((unit) => `--unit=${service}${unit}`),
  ];
}

function quote(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

/** Prints what a program says. @returns its exit status; 0 if the signal ended it @throws CliError if it cannot start */
async function run(
  command: string,
  args: readonly string[],
  { env, options, stopSignal, say, stderr }: Reading,
): Promise<number | null> {
  const child = spawn(command, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () => child.kill();
  const signal = options.follow ? stopSignal() : new AbortController().signal;
  signal.addEventListener("abort", end);
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => say(toPlain(line)));
  // A host's banner comes by this way, too.
  const errors = createInterface({ input: child.stderr });
  errors.on("line", (line) => stderr.write(`${toPlain(line)}\n`));
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return signal.aborted ? 0 : status;
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    throw new CliError(EXIT.problem, `${command} cannot start: ${why}`);
  } finally {
    lines.close();
    signal.removeEventListener("abort", end);
  }
}
