import { Option, type Command } from "commander";
import { parseLines, parseMinutes } from "./arguments.js";
import type { ExitStatus } from "../exit-status.js";
import type { ReleaseCommands } from "../release/release-commands.js";

const ABOUT_REF = "the commit (GIT_COMMIT or HEAD)";

type Add = (name: string, about: string) => Command;
type Run = (
  command: (commands: ReleaseCommands) => Promise<ExitStatus>,
) => Promise<void>;

/** Adds the commands that release a service. */
export function addReleaseCommands(add: Add, run: Run): void {
  const force = () =>
    new Option("--force", "even if the commit was rejected").default(false);
  add("package", "build a commit and pack it for the hosts")
    .argument("[ref]", ABOUT_REF)
    .option("--serin", "pack the programs of Serin instead", false)
    .action((ref: string | undefined, options: { serin: boolean }) =>
      run((commands) => commands.package(ref, options)),
    );
  add("inventory", "print serin.yml as an inventory of Ansible")
    .option("--list", "all hosts and variables (the default)")
    .option("--host <name>", "{}, because --list has all variables")
    .action((options: { host?: string }) =>
      run((commands) => commands.inventory(options)),
    );
  add("setup", "set the hosts up for the service")
    .option("--check", "change nothing, show what would change", false)
    .action((options: { check: boolean }) =>
      run((commands) => commands.setup(options)),
    );
  add("release", "release a commit: to the canary, then to prod if it is good")
    .argument("[ref]", ABOUT_REF)
    .addOption(force())
    .option("--skip-verdict", "without steps and verdict", false)
    .option(
      "--wait [minutes]",
      "how long to wait for the steps (their time and 10; without a number, as long as it takes)",
      parseMinutes,
    )
    .action(
      (
        ref: string | undefined,
        options: Parameters<ReleaseCommands["release"]>[1],
      ) => run((commands) => commands.release(ref, options)),
    );
  add("rollback", "go back to the release before")
    .argument("[release]", "another one that has run on the hosts, or `stable`")
    .option("--canary", "only on the canary", false)
    .option("--prod", "only on prod", false)
    .action(
      (
        release: string | undefined,
        options: { canary: boolean; prod: boolean },
      ) => run((commands) => commands.rollback(release, options)),
    );
  add("admit", "check whether a commit may be released now")
    .argument("[ref]", ABOUT_REF)
    .addOption(force())
    .action((ref: string | undefined, options: { force: boolean }) =>
      run((commands) => commands.admit(ref, options)),
    );
  add("logs", "show what the service's units on a host have logged")
    .argument("[host]", "one of serin.yml; on an edge host, that host")
    .option("-f, --follow", "wait for new lines", false)
    .option("-n, --lines <number>", "how many", parseLines, 100)
    .action(
      (
        host: string | undefined,
        options: Parameters<ReleaseCommands["logs"]>[1],
      ) => run((commands) => commands.logs(host, options)),
    );
  add("reject", "keep a bad commit aside and reset the branch to stable")
    .argument("[ref]", ABOUT_REF)
    .action((ref: string | undefined) =>
      run((commands) => commands.reject(ref)),
    );
}
