import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { LocalLauncher } from "../support/programs/launcher.js";

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PROGRAMS = pathOf("../../apps/");
const ROOT = pathOf("../../../");
const DOCUMENTS = [
  "README.md",
  "docs/operating.md",
  "docs/verdict.md",
  "docs/your-service.md",
];

/** What a line of a code block begins with if it is a command. */
const COMMAND =
  /^(?:npm|npx|curl|redis-cli|for|cd|cp|\.\/|ansible-\w+|git|sudo) ?/;
/** Run by other suites (test/integration/cli/init, test/system, test/deployment), or no command before it is filled in. */
const RUN_ELSEWHERE =
  /^(?:npm (?:start|install)|npx serin (?:init|dev|setup|release)|cd |.*<event id>)/;
/** These go on until they are told to stop. */
const ENDLESS = / (?:watch|events --follow)\b/;
/** These end with 1 as well, if something is wrong: the README's requests for /slow stop the canary. */
const REPORTS_STATE = / (?:status|doctor)\b/;
/** Time for one of them to say something, on a busy machine as well. */
const ENDLESS_S = 4;
/** `timeout` ended it. */
const TIMED_OUT = 124;

function readCommands(): string[] {
  return DOCUMENTS.flatMap((document) => [
    ...readFileSync(ROOT + document, "utf8").matchAll(
      /^```(\w*)\n(.*?)^```$/gms,
    ),
  ])
    .flatMap(([, language, block = ""]) =>
      language === "" ? block.split("\n") : [],
    )
    .filter((line) => COMMAND.test(line));
}

interface Outcome {
  status: number | string;
  output: string;
}

function runInShell(
  command: string,
  env: Record<string, string>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = {
      cwd: ROOT,
      env: { ...process.env, ...env },
      timeout: 60_000,
    };
    execFile(
      "bash",
      ["-o", "pipefail", "-c", command],
      options,
      (err, stdout, stderr) =>
        resolve({
          status: err === null ? 0 : (err.code ?? "killed"),
          output: stdout + stderr,
        }),
    );
  });
}

/**
 * The command as it is, but for the ports, a `curl` that fails when it is refused, and an end to what has none. npx, which takes
 * a second, is left to test/integration/project/bundles.test.ts.
 */
function fitToPorts(command: string, ports: Map<string, number>): string {
  const fitted = command
    .replace(/localhost:(\d+)/g, (_, port: string) => {
      const own = ports.get(port);
      if (own === undefined) throw new Error(`nothing listens on ${port}`);
      return `localhost:${own}`;
    })
    .replace(/^npx serin\b/, "dist/apps/cli/main.js")
    .replace(/^curl\b/, "curl --fail --silent --show-error")
    .replace(/ \| jq .*$/, "")
    .replace("redis-cli", `redis-cli -p ${ports.get("6379")}`);
  return ENDLESS.test(command) ? `timeout ${ENDLESS_S} ${fitted}` : fitted;
}

describe("commands in README and docs", function () {
  this.timeout(180_000);

  it("succeed and print something", async () => {
    const launcher = new LocalLauncher({
      programsDirectory: PROGRAMS,
      file: `${ROOT}apps/app/serin.yml`,
      traffic: true,
    });
    await launcher.untilReady();
    const [admin] = await launcher.untilShown(/\d+(?=\/status)/);
    const ports = new Map([
      ["8080", await launcher.readPort("proxy")],
      ["8081", Number(admin)],
      ["8090", await launcher.readPort("monitor")],
      ["6379", await launcher.readRedisPort()],
    ]);
    const env = { XDG_RUNTIME_DIR: launcher.runtimeDirectory };
    const commands = readCommands().filter((it) => !RUN_ELSEWHERE.test(it));
    expect(commands).to.have.length.above(10);
    const failed: string[] = [];
    for (const command of commands) {
      const right = ENDLESS.test(command)
        ? [TIMED_OUT]
        : REPORTS_STATE.test(command)
          ? [0, 1]
          : [0];
      const { status, output } = await runInShell(
        fitToPorts(command, ports),
        env,
      );
      if (!right.includes(Number(status)) || output === "")
        failed.push(`${command}\n  ended with ${status}: ${output}`);
    }
    expect(failed.join("\n")).to.equal("");
  });
});
