import { setTimeout as sleep } from "node:timers/promises";
import type { WriteStream } from "node:tty";
import { describeHeadline } from "../../../lib/wording/headline.js";
import { formatClock } from "../../../lib/wording/units.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { drawSentence, type Look } from "../output.js";
import {
  readNewestEvents,
  readRollout,
  readState,
  readStop,
  type Reading,
  type Sources,
} from "../sources/state-source.js";
import type { CommandContext } from "./command-context.js";
import { drawEvent } from "./event-line.js";
import { LiveScreen } from "./live-screen.js";
import { drawMembers } from "./members.js";
import { drawStatus, paintHeadline, type StatusFacts } from "./status-page.js";

const INTERVAL_MS = 1000;
const EVENTS_READ = 50;
/** Lines of the page that proxies and hosts leave to events. */
const EVENT_LINES = 6;

interface Moment {
  reading: StatusFacts | CliError;
  /** Newest first. */
  events: readonly LedgerEvent[];
  now: number;
}

/** `serin watch` in a terminal: redraws the state and the newest events each second and after a resize. */
export async function watchLive(
  parts: CommandContext,
  terminal: WriteStream,
  signal: AbortSignal,
): Promise<ExitStatus> {
  const { output } = parts;
  const screen = new LiveScreen(terminal);
  // Clearing the rest of a full line would clear its last character.
  const look = () => ({ paint: output.paint, width: output.width - 1 });
  let moment: Moment | undefined;
  const redraw = () =>
    screen.draw(
      moment === undefined
        ? ["Loading …"]
        : drawPage(moment, { look: look(), rows: terminal.rows }),
    );
  screen.open();
  terminal.on("resize", redraw);
  try {
    await eachSecond(signal, async () => {
      moment = await readMoment(parts);
      redraw();
    });
  } finally {
    terminal.off("resize", redraw);
    screen.close();
    // Leave the last headline on the main screen.
    if (moment !== undefined) drawHeadline(moment, output).forEach(output.line);
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
    const { sentence, essence } = await readSentence(parts, output);
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

async function readMoment(sources: Sources): Promise<Moment> {
  const [reading, events, moment] = await Promise.all([
    readOrFail(sources),
    readNewestEvents(sources, EVENTS_READ),
    readRollout(sources),
  ]);
  const now = Date.now();
  if (reading instanceof CliError) return { reading, events, now };
  const stop = await readStop(sources, reading);
  return { reading: { ...reading, stop, moment }, events, now };
}

/** What matters most comes first: what does not fit into the window is left out from the end of each part. */
export function drawPage(
  moment: Moment,
  { look, rows }: { look: Look; rows: number },
): string[] {
  const { reading, events, now } = moment;
  const isKnown = !(reading instanceof CliError);
  const state = isKnown
    ? drawStatus(reading, look)
    : drawHeadline(moment, look);
  const clock = `${formatClock(new Date(now), now)} · Ctrl-C ends`;
  const footer = ["", look.paint("dim", clock)];
  const room = rows - state.length - footer.length;
  const history = ["", ...events.flatMap((one) => drawEvent(one, now, look))];
  const forMembers = room - Math.min(EVENT_LINES, history.length);
  const members = isKnown ? drawMembers(reading.report, look, forMembers) : [];
  const shown = history.slice(0, Math.max(0, room - members.length));
  return [...state, ...members, ...shown, ...footer];
}

function drawHeadline({ reading }: Moment, look: Look): string[] {
  if (!(reading instanceof CliError))
    return paintHeadline(reading.report, look);
  const text = toPlain(`Unknown: ${reading.message}`);
  return drawSentence(["bold", "red"], text, look);
}

async function readSentence(
  sources: Sources,
  { paint }: Look,
): Promise<{ sentence: string; essence: string }> {
  const reading = await readOrFail(sources);
  if (reading instanceof CliError)
    return {
      sentence: `Unknown: ${reading.message}`,
      essence: reading.message,
    };
  const { report, without } = reading;
  const headline = paintHeadline(report, { paint, width: Infinity });
  const because = without === undefined ? "" : ` (${without.message})`;
  return {
    sentence: [...headline, because].join(""),
    essence: describeEssence(report) + because,
  };
}

/** The headline without running times. */
function describeEssence(report: StateReport): string {
  const { text } = describeHeadline(report, Date.parse(report.now));
  return text.replace(
    /(?<=healthy) for .+$|(?<=retry) in [\d:]+$|, [\d:]+ of [\d:]+/g,
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
