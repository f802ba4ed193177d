import { releaseVersion } from "../../lib/program/release.js";
import { SettingsError } from "../../lib/settings/settings.js";
import { runCommandLine } from "./line/command-line.js";
import { CliError, EXIT, type ExitStatus } from "./exit-status.js";
import type { CommandsContext } from "./commands/commands.js";

/** `serin`, from its arguments to its exit status. It uses the process only through its context. */
export async function runCli(
  context: CommandsContext & { args: readonly string[] },
): Promise<ExitStatus> {
  const { args, stdout, stderr } = context;
  try {
    return await runCommandLine(args, {
      loadCommands: async () => {
        const { createCommands } = await import("./commands/commands.js");
        return createCommands(context);
      },
      loadReleaseCommands: async () => {
        const { createReleaseCommands } =
          await import("./release/release-commands.js");
        return createReleaseCommands(context);
      },
      version: releaseVersion(),
      stdout,
      stderr,
    });
  } catch (err) {
    const sentence = err instanceof Error ? err.message : String(err);
    stderr.write(`serin: ${sentence}\n`);
    if (err instanceof SettingsError) return EXIT.usage;
    return err instanceof CliError ? err.status : EXIT.problem;
  }
}
