import { WriteStream } from "node:tty";
import {
  Argument,
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
} from "commander";
import { EVENT_KINDS, type EventKind } from "../../lib/flag/ledger-event.js";
import {
  renderCompletion,
  SHELLS,
  type CommandTree,
  type Shell,
} from "./completion.js";
import { EXIT, type ExitStatus } from "./exit-status.js";
import { ABOUT, AFTERWORD, EXAMPLES } from "./help.js";
import type { OutputStream } from "./output.js";

const MAX_EVENTS = 1000;
/** Of help that does not go to a terminal. */
const HELP_WIDTH = 80;

/** What each command does, in the words of its command line. */
export interface Commands {
  status: (options: JsonOption) => Promise<ExitStatus>;
  watch: () => Promise<ExitStatus>;
  getFlag: (options: JsonOption) => Promise<ExitStatus>;
  setFlag: (
    value: boolean | "toggle",
    options: { reason?: string },
  ) => Promise<ExitStatus>;
  events: (options: {
    follow: boolean;
    kind?: EventKind;
    limit: number;
    json: boolean;
  }) => Promise<ExitStatus>;
  why: (options: JsonOption) => Promise<ExitStatus>;
  doctor: (options: {
    json: boolean;
    sendTestMail: boolean;
  }) => Promise<ExitStatus>;
}

interface CommandLineContext {
  /** Help, a version, a completion script and a wrong argument do without: loading them is most of the start. */
  loadCommands: () => Promise<Commands>;
  version: string;
  stdout: OutputStream;
  stderr: OutputStream;
}

/** Runs what the arguments ask for. @returns its exit status, or that for arguments that are wrong */
export async function runCommandLine(
  args: readonly string[],
  context: CommandLineContext,
): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok;
  const program = createProgram(context, async (command) => {
    status = await command(await context.loadCommands());
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (err) {
    // It has been said already.
    if (err instanceof CommanderError)
      return err.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw err;
  }
}

interface JsonOption {
  json: boolean;
}

type Run = (
  command: (commands: Commands) => Promise<ExitStatus>,
) => Promise<void>;

function createProgram(
  { version, stdout, stderr }: CommandLineContext,
  run: Run,
): Command {
  const program = new Command("serin")
    .description(ABOUT)
    .version(version)
    .helpCommand(false)
    .showHelpAfterError("(serin --help, or serin <command> --help, tells more)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => widthOf(stdout),
      getErrHelpWidth: () => widthOf(stderr),
    })
    .addHelpText("after", AFTERWORD);
  const json = () =>
    new Option("--json", "print JSON, for programs").default(false);
  add(program, "status", "tell the state, in a sentence and a table")
    .addOption(json())
    .action((options: JsonOption) => run(({ status }) => status(options)));
  add(program, "watch", "show the state live; in a pipe, a line a change") //
    .action(() => run(({ watch }) => watch()));
  addFlag(program, run, json);
  add(program, "events", "tell what happened")
    .option("-f, --follow", "go on with what happens", false)
    .addOption(
      new Option("-k, --kind <kind>", "only these").choices(EVENT_KINDS),
    )
    .option("-n, --limit <number>", "how many at most", parseLimit, 20)
    .addOption(json())
    .action((options: Parameters<Commands["events"]>[0]) =>
      run(({ events }) => events(options)),
    );
  add(program, "why", "explain the last flip")
    .addOption(json())
    .action((options: JsonOption) => run(({ why }) => why(options)));
  add(program, "doctor", "look for what is wrong, and say what to do about it")
    .option("--send-test-mail", "send a mail as alerts are sent", false)
    .addOption(json())
    .action((options: Parameters<Commands["doctor"]>[0]) =>
      run(({ doctor }) => doctor(options)),
    );
  add(program, "completion", "print a completion script for a shell")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell: Shell) => {
      stdout.write(renderCompletion(shell, describe(program)));
    });
  return program;
}

function addFlag(program: Command, run: Run, json: () => Option): void {
  const flag = add(program, "flag", "tell or set the flag");
  add(flag, "get", "print on or off")
    .addOption(json())
    .action((options: JsonOption) => run(({ getFlag }) => getFlag(options)));
  const changes = [
    ["on", true, "let the canary in"],
    ["off", false, "stop the canary, until a person lets it in"],
    ["toggle", "toggle", "set it to what it is not"],
  ] as const;
  for (const [name, value, about] of changes)
    add(flag, name, about)
      .option("-r, --reason <text>", "why, for the ledger and the mail")
      .action((options: { reason?: string }) =>
        run(({ setFlag }) => setFlag(value, options)),
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

function widthOf(stream: OutputStream): number {
  return stream instanceof WriteStream ? stream.columns : HELP_WIDTH;
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
