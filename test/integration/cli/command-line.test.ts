import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { EXAMPLES } from "../../../apps/cli/line/help.js";
import { releaseVersion } from "../../../lib/program/release.js";
import { runCli, startCliProcess } from "../../support/programs/cli.js";
import { skipWithout } from "../../support/needed-program.js";
import { freshKeys } from "../../support/redis/redis-server.js";

const run = (...args: string[]) =>
  // Commands that need no Redis must not need valid settings either.
  runCli(freshKeys(), args, { REDIS_URL: "nonsense" });

describe("serin's command line", () => {
  it("prints its version", async () => {
    expect(await run("--version")).to.deep.equal({
      status: 0,
      stdout: `${releaseVersion()}\n`,
      stderr: "",
    });
  });

  it("prints the version by serin version, too", async () => {
    expect(await run("version")).to.deep.equal(await run("--version"));
  });

  it("names the command that an unknown word stands for", async () => {
    for (const [word, meant] of [
      ["off", "flag off"],
      ["stop", "flag off"],
      ["resume", "rollout resume"],
      ["abort", "rollout abort"],
      ["promote", "rollout promote"],
      ["deploy", "release"],
      ["undo", "rollback"],
      ["statu", "status"],
    ] as const) {
      const { status, stderr } = await run(word);
      expect(stderr).to.equal(
        `error: unknown command '${word}'\n(Did you mean ${meant}?)\n(see serin --help)\n`,
      );
      expect(status).to.equal(2);
    }
    expect((await run("flag", "of")).stderr).to.include(
      "(Did you mean one of off, on?)",
    );
    expect((await run("status", "--jso")).stderr).to.include("--json?)");
  });

  it("rejects a DASHBOARD_URL that is not of a web page", async () => {
    for (const DASHBOARD_URL of ["--version", "file:///etc/passwd"]) {
      const { status, stderr, stdout } = await runCli(freshKeys(), ["open"], {
        DASHBOARD_URL,
      });
      expect(stderr).to.include(
        `DASHBOARD_URL is "${DASHBOARD_URL}": give an http:// or https:// URL`,
      );
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: "" });
    }
  });

  it("groups its commands in the help", async () => {
    const { stdout } = await run("--help");
    const groups = [...stdout.matchAll(/^(\w[\w ]*:)\n((?: {2}.*\n)+)/gm)];
    const names = (lines = "") =>
      [...lines.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
    expect(
      Object.fromEntries(
        groups.map(([, title, lines]) => [title, names(lines)]),
      ),
    ).to.deep.include({
      "Your service:": ["init", "dev", "setup", "release", "rollback"],
      "The canary:": ["status", "watch", "rollout", "flag", "why"],
      "Looking:": ["events", "releases", "plan", "open", "doctor", "logs"],
      "Other:": [
        ...["hooks", "version", "completion", "package", "inventory"],
        ...["admit", "reject", "help"],
      ],
    });
  });

  it("prints help with examples for every command", async () => {
    const { stdout } = await run("--help");
    expect(stdout).to.include("Exit status: 0").and.include("MONITOR_URL");
    for (const [path, examples] of Object.entries(EXAMPLES)) {
      const help = await run(...path.split(" "), "--help");
      expect(help.status, path).to.equal(0);
      expect(help.stdout, path).to.include(
        `Examples:\n  ${examples.join("\n  ")}`,
      );
    }
  });

  it("prints the same help by serin help", async () => {
    const { status, stdout } = await run("help", "status");
    expect(status).to.equal(0);
    expect(stdout).to.equal((await run("status", "--help")).stdout);
    expect((await run("help")).stdout).to.equal((await run("--help")).stdout);
    expect((await run("flag", "on", "extra")).stderr).to.include(
      "(see serin flag on --help)",
    );
  });

  it("ends with status 2 and a hint for invalid arguments", async () => {
    for (const args of [
      ["nonsense"],
      ["flag", "maybe"],
      ["status", "--nonsense"],
      ["completion", "tcsh"],
      ["flag", "on", "extra"],
      ["--token", "x", "status"],
    ]) {
      const { status, stdout, stderr } = await run(...args);
      expect(status, args.join(" ")).to.equal(2);
      expect(stdout).to.equal("");
      expect(stderr).to.match(/^error: .*\n\(see serin (\w+ )*--help\)/);
    }
    for (const args of [[], ["flag"]]) {
      const { status, stderr } = await run(...args);
      expect(status).to.equal(2);
      expect(stderr).to.match(/^Usage: serin/);
    }
  });

  it("sets the exit status of the process, also for a bad setting", async () => {
    const keys = freshKeys();
    for (const [args, status] of [
      [["--help"], 0],
      [["nonsense"], 2],
      [["flag", "get"], 2],
    ] as const) {
      const cli = startCliProcess(keys, args, { REDIS_URL: "nonsense" });
      expect(await cli.ended, args.join(" ")).to.equal(status);
      expect(status === 0 ? cli.stdout : cli.stderr).not.to.equal("");
    }
  });

  it("completes commands, options and their values in bash", async () => {
    const { stdout } = await run("completion", "bash");
    const complete = (...words: string[]) =>
      runShell("bash", [
        ...["--norc", "-c"],
        `${stdout}
        COMP_WORDS=(serin ${words.map((word) => `'${word}'`).join(" ")})
        COMP_CWORD=${words.length}; _serin; echo "\${COMPREPLY[@]}"`,
      ]);
    expect(complete("")).to.match(
      /\bstatus watch rollout flag events why releases plan open doctor .*completion .*--help/,
    );
    expect(complete("st")).to.equal("status");
    expect(complete("flag", "")).to.match(/^get on off toggle/);
    expect(complete("flag", "off", "--r")).to.equal("--reason");
    expect(complete("events", "--kind", "f")).to.equal("flip");
    expect(complete("events", "-k", "br")).to.equal("breach");
    expect(complete("doctor", "--s")).to.equal("--send-test-mail");
    expect(complete("flag", "on", "--f")).to.equal("--flag");
    expect(complete("events", "--si")).to.equal("--since");
    expect(complete("re")).to.equal("releases release reject");
    expect(complete("logs", "--")).to.equal("--follow --lines --help");
    expect(complete("completion", "")).to.match(/^bash zsh fish/);
  });

  it("completes the same in zsh", async function () {
    skipWithout(this, { names: ["zsh"], debianPackage: "zsh" });
    const { stdout } = await run("completion", "zsh");
    // Stubs of the functions that zsh's completion provides.
    const complete = (...words: string[]) =>
      runShell("zsh", [
        ...["-f", "-c"],
        `compdef() { : }; compadd() { shift; print -- "$@" }
        ${stdout}
        words=(serin ${words.map((word) => `'${word}'`).join(" ")})
        CURRENT=${words.length + 1}; _serin`,
      ]);
    expect(complete("")).to.match(
      /\bstatus watch rollout flag events why releases plan open doctor .*completion .*--help/,
    );
    expect(complete("flag", "")).to.match(/^get on off toggle/);
    expect(complete("events", "--kind", "")).to.match(/^flip rollout breach/);
    expect(complete("completion", "")).to.match(/^bash zsh fish/);
  });

  it("completes the same in fish", async function () {
    skipWithout(this, { names: ["fish"], debianPackage: "fish" });
    const { stdout } = await run("completion", "fish");
    const complete = (line: string) =>
      runShell("fish", [
        ...["--no-config", "-c"],
        `${stdout}\ncomplete -C '${line}'`,
      ])
        .replace(/(\t.*)?\n|\t.*$/g, " ")
        .trim();
    expect(complete("serin ").split(" ")).to.include.members(
      "completion doctor events flag status watch why".split(" "),
    );
    expect(complete("serin flag ")).to.equal("get off on toggle");
    expect(complete("serin flag off --r")).to.equal("--reason");
    expect(complete("serin events --kind f")).to.equal("flip");
    expect(complete("serin completion ")).to.equal("bash fish zsh");
  });
});

function runShell(shell: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(shell, args, {
    encoding: "utf8",
  });
  expect(stderr).to.equal("");
  expect(status).to.equal(0);
  return stdout.trim();
}
