import type { Command } from "commander";
import type { ExitStatus } from "./exit-status.js";
import type { ReleaseCommands } from "./release/release-commands.js";

type Add = (name: string, about: string) => Command;
type Run = (
  command: (commands: ReleaseCommands) => Promise<ExitStatus>,
) => Promise<void>;

/** Adds the commands that release a service. */
export function addReleaseCommands(add: Add, run: Run): void {
  add("package", "build a commit and pack it for the hosts")
    .argument("[ref]", "the commit", "HEAD")
    .option("--serin", "pack the programs of Serin instead", false)
    .action((ref: string, options: { serin: boolean }) =>
      run((commands) => commands.package(ref, options)),
    );
  add("inventory", "print serin.yml as an inventory of Ansible")
    .option("--list", "all hosts and variables (the default)")
    .option("--host <name>", "{}, because --list has all variables")
    .action((options: { host?: string }) =>
      run((commands) => commands.inventory(options)),
    );
}
