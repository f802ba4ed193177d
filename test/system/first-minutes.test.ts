import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { onCleanup } from "../support/cleanup.js";
import { Subprocess } from "../support/programs/subprocess.js";
import { createTempDirectory } from "../support/temp-directory.js";
import { waitFor } from "../support/wait-for.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const READY_LIMIT_MS = 60_000;
const LOOPBACK_UP = `
import fcntl, socket, struct
flags = struct.pack("16sH14s", b"lo", 0x41, b"")
fcntl.ioctl(socket.socket(), 0x8914, flags)`;
/** Of npm start, without the preparation of a clone. */
const START = /exec (node .+)$/;

function readStart(): string {
  const { scripts } = JSON.parse(
    readFileSync(`${ROOT}package.json`, "utf8"),
  ) as { scripts: { start: string } };
  const [, command = ""] = START.exec(scripts.start) ?? [];
  return command;
}

/** The commands of README's first chapter after `npm start`, in order. */
function readLines(): string[] {
  const readme = readFileSync(`${ROOT}README.md`, "utf8");
  const [chapter = ""] = /^## See it react$.*?^## /ms.exec(readme) ?? [];
  return chapter.split("\n").filter((line) => /^(npx|for|curl) /.test(line));
}

/** A machine's network of its own, in which Serin runs in a terminal. */
class OwnNetwork {
  readonly #holder: Subprocess;
  readonly #env = {
    ...process.env,
    ...{ ROOT, START: readStart() },
    XDG_RUNTIME_DIR: createTempDirectory(),
    TMPDIR: createTempDirectory(),
  };

  constructor() {
    const hold = `python3 -c '${LOOPBACK_UP}' && echo up && exec sleep infinity`;
    const command = ["unshare", "--net", "sh", "-c", hold] as const;
    this.#holder = new Subprocess(command, { env: this.#env });
    onCleanup(() => this.#holder.end());
  }

  /** @param withForeignRedis whether somebody else's listens on 6379 */
  async start(withForeignRedis: boolean): Promise<void> {
    await waitFor("loopback", () => this.#holder.stdout === "up\n");
    const redis = `exec redis-server --save '' --dir "$TMPDIR"`;
    if (withForeignRedis) {
      const foreign = this.#spawn(redis);
      await waitFor("Redis", () => foreign.stdout.includes("Ready to accept"));
    }
    const terminal = `cd "$ROOT" && exec script --quiet --flush --return --command "$START" /dev/null`;
    const screen = this.#spawn(terminal);
    await waitFor(
      "Serin to run",
      () => screen.stdout.includes("Ctrl-C stops everything."),
      READY_LIMIT_MS,
    );
  }

  /** Runs a command in a second terminal. */
  async run(command: string): Promise<{ stdout: string; stderr: string }> {
    const [enter, ...args] = this.#enter(command);
    const options = { cwd: ROOT, env: this.#env };
    return await promisify(execFile)(enter, args, options);
  }

  #spawn(command: string): Subprocess {
    const process = new Subprocess(this.#enter(command), { env: this.#env });
    onCleanup(() => process.end());
    return process;
  }

  #enter(command: string): [string, ...string[]] {
    const target = ["--net", "--target", String(this.#holder.child.pid)];
    return ["nsenter", ...target, "bash", "-c", command];
  }
}

describe("README's first ten minutes", function () {
  this.timeout(180_000);

  before(function () {
    // Only root has namespaces everywhere.
    if (process.getuid?.() !== 0) this.skip();
  });

  for (const hasForeignRedis of [true, false])
    it(`work line by line ${hasForeignRedis ? "beside a Redis of somebody else" : "where no other Redis is"}`, async () => {
      const network = new OwnNetwork();
      await network.start(hasForeignRedis);
      const lines = readLines();
      expect(lines).to.have.length(4);
      for (const line of lines) {
        const { stdout, stderr } = await network.run(line);
        expect(stdout, line).not.to.equal("");
        if (line.startsWith("npx"))
          expect(stderr).to.include(
            "using the system that `serin dev` runs here: sample",
          );
        // The loop before has stopped the canary already.
        if (line.includes("flag off"))
          expect(stdout).to.match(/^feature is off already, and stays off /);
        if (line.includes("flag on"))
          expect(stdout).to.match(/^feature is on: fixed\n.*1 proxy /);
      }
      if (!hasForeignRedis) return;
      const { stdout } = await network.run("redis-cli dbsize");
      expect(stdout.trim()).to.match(/\b0$/);
    });
});
