import * as z from "zod";
import { toPlain, toPlainLines } from "../../../../lib/wording/plain-text.js";

const outcomeSchema = z.object({
  changed: z.boolean(),
  from: z.string(),
  to: z.string(),
});
/** A line of the callback plugin serin_progress. */
const lineSchema = z.object({
  event: z.enum(["ok", "failed", "unreachable"]),
  host: z.string(),
  task: z.string(),
  changed: z.boolean().optional(),
  message: z.string().optional(),
  outcome: outcomeSchema.nullable().optional().catch(null),
});

/** The release that a host ran before, and the one it runs now. */
export type Outcome = z.infer<typeof outcomeSchema>;

/** Prints a line for each step of each host, and keeps how it ended there. */
export class Progress {
  readonly outcomes = new Map<string, Outcome>();
  /** The reason of each host that failed. */
  readonly failures = new Map<string, string>();
  readonly unreachable = new Set<string>();
  /** The hosts that found the release bad: the role's tasks that begin so. */
  readonly rejections = new Set<string>();
  readonly #say: (line: string) => void;
  readonly #startedAt = performance.now();

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  readonly add = (text: string): void => {
    const line = lineSchema.parse(JSON.parse(text));
    const { event, host, outcome } = line;
    const task = toPlain(line.task.replace(/^[\w-]+ : /, ""));
    if (outcome) this.outcomes.set(host, outcome);
    const healthy = /^Wait for a healthy (.+)/.exec(task)?.[1];
    if (event !== "ok") this.#fail(line, task);
    else if (healthy !== undefined) this.#print(host, `${healthy} is healthy`);
    else if (line.changed === true) this.#print(host, task);
  };

  #fail(line: z.infer<typeof lineSchema>, task: string): void {
    const { event, host, message = "" } = line;
    if (event === "unreachable") this.unreachable.add(host);
    if (task.startsWith("Reject a release")) this.rejections.add(host);
    // It only ends the play: the reason came before.
    if (task === "Fail" && this.failures.has(host)) return;
    this.failures.set(host, toPlainLines(message.trim()));
    this.#print(host, event === "failed" ? `FAILED: ${task}` : "UNREACHABLE");
  }

  #print(host: string, step: string): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.#say(`${seconds.toFixed(1).padStart(7)} s  ${host}  ${step}`);
  }
}
