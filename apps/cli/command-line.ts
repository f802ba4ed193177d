import {
  Argument,
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
} from "commander";
import { EVENT_KINDS, type EventKind } from "../../lib/flag/ledger.js";
import { SHELLS, type CommandTree, type Shell } from "./completion.js";
import { EXIT } from "./exit-status.js";
import { ABOUT, AFTERWORD, EXAMPLES } from "./help.js";

const MAX_EVENTS = 1000;

/** What each command does, in the words of its command line. */
export interface Actions {
  status: (options: { json: boolean }) => Promise<void>;
  watch: () => Promise<void>;
  getFlag: (options: { json: boolean }) => Promise<void>;
  setFlag: (
    value: boolean | "toggle",
    options: { reason?: string },
  ) => Promise<void>;
  events: (options: {
    follow: boolean;
    kind?: EventKind;
    limit: number;
    json: boolean;
  }) => Promise<void>;
  why: (options: { json: boolean }) => Promise<void>;
  doctor: (options: { json: boolean; sendTestMail: boolean }) => Promise<void>;
  completion: (shell: Shell, tree: CommandTree) => void;
}

/** Runs what the arguments ask for. @returns the exit status for what they get wrong; undefined when an action has run. */
export async function runCommandLine(
  args: readonly string[],
  actions: Actions,
  version: string,
): Promise<number | undefined> {
  const program = createProgram(actions, version);
  try {
    await program.parseAsync(args, { from: "user" });
    return undefined;
  } catch (err) {
    // It has been said already.
    if (err instanceof CommanderError)
      return err.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw err;
  }
}

function createProgram(actions: Actions, version: string): Command {
  const program = new Command("serin")
    .description(ABOUT)
    .version(version)
    .helpCommand(false)
    .showHelpAfterError("(serin --help, or serin <command> --help, tells more)")
    .exitOverride()
    .addHelpText("after", AFTERWORD);
  const json = () =>
    new Option("--json", "print JSON, for programs").default(false);
  add(program, "status", "tell the state, in a sentence and a table")
    .addOption(json())
    .action(actions.status);
  add(program, "watch", "show the state live; in a pipe, a line a change") //
    .action(actions.watch);
  addFlag(program, actions, json);
  add(program, "events", "tell what happened")
    .option("-f, --follow", "go on with what happens", false)
    .addOption(
      new Option("-k, --kind <kind>", "only these").choices(EVENT_KINDS),
    )
    .option("-n, --limit <number>", "how many at most", parseLimit, 20)
    .addOption(json())
    .action(actions.events);
  add(program, "why", "explain the last flip")
    .addOption(json())
    .action(actions.why);
  add(program, "doctor", "look for what is wrong, and say what to do about it")
    .option("--send-test-mail", "send a mail as alerts are sent", false)
    .addOption(json())
    .action(actions.doctor);
  add(program, "completion", "print a completion script for a shell")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell: Shell) => actions.completion(shell, describe(program)));
  return program;
}

function addFlag(program: Command, actions: Actions, json: () => Option): void {
  const flag = add(program, "flag", "tell or set the flag");
  add(flag, "get", "print on or off").addOption(json()).action(actions.getFlag);
  const changes = [
    ["on", true, "let the canary in"],
    ["off", false, "stop the canary, until a person lets it in"],
    ["toggle", "toggle", "set it to what it is not"],
  ] as const;
  for (const [name, value, about] of changes)
    add(flag, name, about)
      .option("-r, --reason <text>", "why, for the ledger and the mail")
      .action((options: { reason?: string }) =>
        actions.setFlag(value, options),
      );
}

function add(parent: Command, name: string, about: string): Command {
  const path =
    parent.parent === null && parent.name() === "serin"
      ? name
      : `${parent.name()} ${name}`;
  const command = parent.command(name).description(about).helpCommand(false);
  const examples = EXAMPLES[path];
  if (examples !== undefined)
    command.addHelpText("after", `\nExamples:\n  ${examples.join("\n  ")}`);
  return command;
}

function parseLimit(value: string): number {
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : -1;
  if (limit >= 0 && limit <= MAX_EVENTS) return limit;
  throw new InvalidArgumentError(
    `Give a whole number from 0 to ${MAX_EVENTS}.`,
  );
}

/** What there is to complete. */
function describe(command: Command): CommandTree {
  const help = { flags: ["--help"], about: "tell how to use it", choices: [] };
  return {
    name: command.name(),
    about: command.description(),
    words: command.registeredArguments.flatMap(
      ({ argChoices }) => argChoices ?? [],
    ),
    options: [
      ...command.options.map(({ short, long, description, argChoices }) => ({
        flags: [short, long].filter((flag) => flag !== undefined),
        about: description,
        choices: argChoices ?? [],
      })),
      help,
    ],
    commands: command.commands.map(describe),
  };
}
