import { setTimeout as sleep } from "node:timers/promises";
import type { WriteStream } from "node:tty";
import { describeHeadline } from "../../../lib/wording/headline.js";
import { formatClock } from "../../../lib/wording/units.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { renderEvent } from "./event-line.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { LiveScreen } from "./live-screen.js";
import type { Paint } from "../output.js";
import {
  readNewestEvents,
  readState,
  type Reading,
  type Sources,
} from "../sources/state-source.js";
import type { CommandContext } from "./command-context.js";
import { paintHeadline, renderStatus } from "./status-page.js";

const INTERVAL_MS = 1000;
const EVENTS_SHOWN = 8;

/** `serin watch` in a terminal: redraws the state and the newest events each second and after a resize. */
export async function watchLive(
  parts: CommandContext,
  terminal: WriteStream,
  signal: AbortSignal,
): Promise<ExitStatus> {
  const { output } = parts;
  const screen = new LiveScreen(terminal);
  let lines = ["Loading …"];
  const redraw = () => screen.draw(lines);
  screen.open();
  terminal.on("resize", redraw);
  try {
    await eachSecond(signal, async () => {
      lines = await renderPage(parts, output.paint);
      redraw();
    });
  } finally {
    terminal.off("resize", redraw);
    screen.close();
    // Leave the last headline on the main screen.
    output.line(lines[0] ?? "");
  }
  return EXIT.ok;
}

/** `serin watch` in a pipe: prints a line for each change, but not for running times. */
export async function watchPiped(
  parts: CommandContext,
  signal: AbortSignal,
): Promise<ExitStatus> {
  const { output } = parts;
  let last: string | undefined;
  await eachSecond(signal, async () => {
    const { sentence, essence } = await readSentence(parts, output.paint);
    if (essence === last) return;
    last = essence;
    const now = new Date();
    output.line(`${formatClock(now, now.getTime())}  ${sentence}`);
  });
  return EXIT.ok;
}

async function eachSecond(
  signal: AbortSignal,
  step: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await step();
    // It rejects only when aborted, which also ends the loop.
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function renderPage(sources: Sources, paint: Paint): Promise<string[]> {
  const [reading, events] = await Promise.all([
    readOrFail(sources),
    readNewestEvents(sources, EVENTS_SHOWN),
  ]);
  const now = Date.now();
  const state =
    reading instanceof CliError
      ? [paint(["bold", "red"], `Unknown: ${reading.message}`)]
      : renderStatus(reading, paint);
  return [
    ...state,
    "",
    ...events.map((event) => renderEvent(event, now, paint)),
    "",
    paint("dim", `${formatClock(new Date(now), now)} · Ctrl-C ends`),
  ];
}

async function readSentence(
  sources: Sources,
  paint: Paint,
): Promise<{ sentence: string; essence: string }> {
  const reading = await readOrFail(sources);
  if (reading instanceof CliError)
    return {
      sentence: `Unknown: ${reading.message}`,
      essence: reading.message,
    };
  const { report, without } = reading;
  const because = without === undefined ? "" : ` (${without.message})`;
  return {
    sentence: paintHeadline(report, paint) + because,
    essence: describeEssence(report) + because,
  };
}

/** The headline without running times. */
function describeEssence(report: StateReport): string {
  const { text } = describeHeadline(report, Date.parse(report.now));
  return text.replace(
    /(?<=healthy) for .+$|(?<=retry) in [\d:]+|(?<=prod answers) \S+(?= requests\/s)/g,
    "",
  );
}

async function readOrFail(sources: Sources): Promise<Reading | CliError> {
  try {
    return await readState(sources);
  } catch (err) {
    if (err instanceof CliError) return err;
    throw err;
  }
}
