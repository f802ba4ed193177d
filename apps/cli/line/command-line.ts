import { WriteStream } from "node:tty";
import { Argument, Command, CommanderError, Option } from "commander";
import { EVENT_KINDS, type EventKind } from "../../../lib/flag/ledger-event.js";
import {
  renderCompletion,
  SHELLS,
  type CommandTree,
  type Shell,
} from "./completion.js";
import {
  MAX_EVENTS,
  parseLimit,
  parseMinutes,
  parseTime,
  parseWeight,
} from "./arguments.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import { addDev, type DevOptions } from "./dev-options.js";
import type { HookSettings } from "../hooks/hooks.js";
import type { InitOptions } from "../init/init.js";
import { ABOUT, AFTERWORD, EXAMPLES, groupOf, suggestCommand } from "./help.js";
import type { OutputStream } from "../output.js";
import { addReleaseCommands } from "./release-line.js";
import type { ReleaseCommands } from "../release/release-commands.js";
import { addRollout, type RolloutCommands } from "./rollout-line.js";

const EVENTS_SHOWN = 20;
/** For help that is not printed on a terminal. */
const HELP_WIDTH = 80;

/** The commands, with their options as parsed. */
export interface Commands {
  init: (options: InitOptions) => ExitStatus;
  dev: (options: DevOptions) => Promise<ExitStatus>;
  status: (options: JsonOption) => Promise<ExitStatus>;
  watch: () => Promise<ExitStatus>;
  getFlag: (options: JsonOption & { flag?: string }) => Promise<ExitStatus>;
  setFlag: (
    value: boolean | "toggle",
    options: { reason?: string; flag?: string },
  ) => Promise<ExitStatus>;
  rollout: RolloutCommands;
  releases: (options: JsonOption & { limit: number }) => Promise<ExitStatus>;
  open: () => Promise<ExitStatus>;
  events: (options: {
    follow: boolean;
    kind?: EventKind;
    since?: number;
    limit: number;
    json: boolean;
  }) => Promise<ExitStatus>;
  why: (event: string | undefined, options: JsonOption) => Promise<ExitStatus>;
  plan: (
    options: JsonOption & { minutes: number; weight?: number[] },
  ) => Promise<ExitStatus>;
  doctor: (options: {
    json: boolean;
    sendTestMail: boolean;
  }) => Promise<ExitStatus>;
  installHooks: (settings: HookSettings) => ExitStatus;
  uninstallHooks: () => ExitStatus;
}

interface CommandLineContext {
  /** Not called for help, the version, completion and invalid arguments, because loading takes most of the start. */
  loadCommands: () => Promise<Commands>;
  loadReleaseCommands: () => Promise<ReleaseCommands>;
  version: string;
  stdout: OutputStream;
  stderr: OutputStream;
}

/** Parses the arguments and runs the command. @returns the exit status */
export async function runCommandLine(
  args: readonly string[],
  context: CommandLineContext,
): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok;
  const program = createProgram(context, async (command) => {
    status = await command(await context.loadCommands());
  });
  addReleaseCommands(
    (name, about) => add(program, name, about),
    async (command) => {
      status = await command(await context.loadReleaseCommands());
    },
  );
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (err) {
    // Commander has printed the error.
    if (err instanceof CommanderError)
      return err.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw err;
  }
}

interface JsonOption {
  json: boolean;
}

type Run = (
  command: (commands: Commands) => ExitStatus | Promise<ExitStatus>,
) => Promise<void>;

function createProgram(
  { version, stdout, stderr }: CommandLineContext,
  run: Run,
): Command {
  const program = new Command("serin")
    .description(ABOUT)
    .version(version)
    .addHelpCommand(
      new Command("help")
        .argument("[command]")
        .description("show help for a command")
        .helpOption(false)
        .helpGroup(groupOf("help")),
    )
    .showHelpAfterError("(see serin --help)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => widthOf(stdout),
      getErrHelpWidth: () => widthOf(stderr),
      outputError: (text, write) => write(suggestCommand(text)),
    })
    .addHelpText("after", AFTERWORD);
  const json = () =>
    new Option("--json", "print JSON, for programs").default(false);
  add(program, "init", "write a serin.yml for the service in a folder")
    .argument("[folder]", "the service's folder", ".")
    .option("--jenkins", "and a Jenkinsfile")
    .option("--github", "and a workflow for GitHub Actions")
    .action((folder: string, options: Omit<InitOptions, "folder">) =>
      run(({ init }) => init({ folder, ...options })),
    );
  addDev(add(program, "dev", "run the service on this machine")).action(
    (options: DevOptions) => run(({ dev }) => dev(options)),
  );
  add(program, "status", "show the state in a sentence and tables")
    .addOption(json())
    .action((options: JsonOption) => run(({ status }) => status(options)));
  add(program, "watch", "show the state live; in a pipe, one line per change") //
    .action(() => run(({ watch }) => watch()));
  addRollout(
    add(program, "rollout", "show or steer the steps of a release"),
    add,
    (command) => run(({ rollout }) => command(rollout)),
  );
  addFlag(program, run, json);
  addLooks(program, run, json);
  addHooks(program, run);
  add(program, "version", "print the version").action(() => {
    stdout.write(`${version}\n`);
  });
  add(program, "completion", "print a completion script for a shell")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell: Shell) => {
      stdout.write(renderCompletion(shell, describe(program)));
    });
  return program;
}

type EventsOptions = Parameters<Commands["events"]>[0];
type EventsLine = Omit<EventsOptions, "limit"> & { limit?: number };

function addLooks(program: Command, run: Run, json: () => Option): void {
  add(program, "events", "show the newest events")
    .option("-f, --follow", "wait for new events", false)
    .addOption(
      new Option("-k, --kind <kind>", "only this kind").choices(EVENT_KINDS),
    )
    .option(
      "-s, --since <time>",
      "1h ago, 14:03 or 2026-11-30T12:00Z",
      parseTime,
    )
    .option(
      "-n, --limit <number>",
      `maximum number (${EVENTS_SHOWN}, or all since a time)`,
      parseLimit,
    )
    .addOption(json())
    .action(({ limit, ...options }: EventsLine) => {
      const { since } = options;
      const most = since === undefined ? EVENTS_SHOWN : MAX_EVENTS;
      return run(({ events }) => events({ ...options, limit: limit ?? most }));
    });
  add(program, "why", "explain the last stop, or another flip")
    .argument("[event]", "its id, or the time of a flip")
    .addOption(json())
    .action((event: string | undefined, options: JsonOption) =>
      run(({ why }) => why(event, options)),
    );
  add(program, "releases", "show what was deployed where, when and by whom")
    .option("-n, --limit <number>", "maximum number", parseLimit, 10)
    .addOption(json())
    .action((options: Parameters<Commands["releases"]>[0]) =>
      run(({ releases }) => releases(options)),
    );
  add(program, "plan", "show what a rollout would find, and recommend one")
    .option("-m, --minutes <number>", "at each weight", parseMinutes, 10)
    .option(
      "-w, --weight <percent...>",
      "these weights (2 5 10 25 50)",
      parseWeight,
    )
    .addOption(json())
    .action((options: Parameters<Commands["plan"]>[0]) =>
      run(({ plan }) => plan(options)),
    );
  add(program, "open", "open the dashboard in a browser, and print its address") //
    .action(() => run(({ open }) => open()));
  add(program, "doctor", "check the system and suggest remedies")
    .option("--send-test-mail", "send a test mail like an alert", false)
    .addOption(json())
    .action((options: Parameters<Commands["doctor"]>[0]) =>
      run(({ doctor }) => doctor(options)),
    );
}

function addFlag(program: Command, run: Run, json: () => Option): void {
  const flag = add(program, "flag", "show or set the flag");
  const further = () =>
    new Option("--flag <name>", "one of the service's further flags");
  add(flag, "get", "print on or off")
    .addOption(further())
    .addOption(json())
    .action((options: Parameters<Commands["getFlag"]>[0]) =>
      run(({ getFlag }) => getFlag(options)),
    );
  const changes = [
    ["on", true, "resume the canary"],
    ["off", false, "stop the canary until an operator resumes it"],
    ["toggle", "toggle", "invert the flag"],
  ] as const;
  for (const [name, value, about] of changes)
    add(flag, name, about)
      .option("-r, --reason <text>", "reason for the ledger and the mail")
      .addOption(further())
      .action((options: { reason?: string; flag?: string }) =>
        run(({ setFlag }) => setFlag(value, options)),
      );
}

function addHooks(program: Command, run: Run): void {
  const hooks = add(program, "hooks", "let commits start releases by Jenkins");
  add(hooks, "install", "notify Jenkins of commits in this clone")
    .option("--jenkins-url <url>", "Jenkins")
    .option("--repository-url <url>", "the repository, as the job spells it")
    .option("--push-remote <name>", "push each commit to this remote first")
    .option("--branch <name>", "the release branch (main)")
    .option("--token-file <path>", "~/.config/serin/jenkins-token")
    .action((settings: HookSettings) =>
      run(({ installHooks }) => installHooks(settings)),
    );
  add(hooks, "uninstall", "remove that again") //
    .action(() => run(({ uninstallHooks }) => uninstallHooks()));
}

function add(parent: Command, name: string, about: string): Command {
  const path =
    parent.parent === null && parent.name() === "serin"
      ? name
      : `${parent.name()} ${name}`;
  const command = parent
    .command(name)
    .description(about)
    .helpCommand(false)
    .showHelpAfterError(`(see serin ${path} --help)`)
    .helpGroup(groupOf(path));
  const examples = EXAMPLES[path];
  if (examples !== undefined)
    command.addHelpText("after", `\nExamples:\n  ${examples.join("\n  ")}`);
  return command;
}

function widthOf(stream: OutputStream): number {
  return stream instanceof WriteStream ? stream.columns : HELP_WIDTH;
}

/** The command for completion scripts. */
function describe(command: Command): CommandTree {
  const help = { flags: ["--help"], about: "show help", choices: [] };
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
