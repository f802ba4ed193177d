import * as z from "zod";
import {
  isStateReport,
  type StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import {
  parsePlan,
  type PlanReport,
} from "../../../lib/telemetry/plan-report.js";
import type { EventKind } from "../../../lib/flag/ledger-event.js";
import type { CliConfig } from "../config.js";
import { describeFailure } from "../describe-failure.js";
import { CliError, EXIT } from "../exit-status.js";

const TIMEOUT_MS = 3000;
/** A plan takes the monitor a second for a few weights, and longer on a busy machine. */
const PLAN_TIMEOUT_MS = 30_000;

const replay = z.object({
  recorded: z.number(),
  verdict: z.looseObject({
    outcome: z.string().nullable(),
    evidence: z.number(),
    evidenceToStop: z.number(),
  }),
});
export type VerdictReplay = z.infer<typeof replay>;

const events = z.array(
  z.object({
    id: z.string(),
    by: z.string(),
    reason: z.string(),
    at: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
);

const testMail = z.object({ id: z.string(), transport: z.string() });
export type TestMail = z.infer<typeof testMail>;

/** The monitor's API. All methods throw a CliError if there is no valid answer in time. */
export class MonitorClient {
  readonly url: string;
  readonly #config: CliConfig;

  constructor(config: CliConfig) {
    this.#config = config;
    this.url = config.monitorUrl.origin;
  }

  async readState(): Promise<StateReport> {
    const answer = await this.#ask("/api/state");
    if (!isStateReport(answer)) throw this.#otherProgram();
    return answer;
  }

  /** @throws CliError also if the monitor watches another flag */
  async readOwnState(): Promise<StateReport> {
    const report = await this.readState();
    const other = this.describeOtherFlag(report);
    if (other === undefined) return report;
    throw new CliError(EXIT.problem, other);
  }

  /** Undefined if the monitor is responsible for the flag that is set here. */
  describeOtherFlag({ flag }: StateReport): string | undefined {
    const { flagName } = this.#config;
    return flag.name === flagName
      ? undefined
      : `the monitor at ${this.url} watches the flag ${flag.name}, but FLAG_NAME here is ${flagName}`;
  }

  /** The ledger's newest events, newest first. @param query an event id in `after` leaves out that and older ones */
  async readEvents(query: {
    limit: number;
    kind?: EventKind;
    after?: string;
  }): Promise<z.infer<typeof events>> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      search.set(name, String(value));
    return this.#parse(
      events,
      await this.#ask(`/api/events?${search.toString()}`),
    );
  }

  /** Undefined if the event has no verdict. */
  async replayVerdict(eventId: string): Promise<VerdictReplay | undefined> {
    const answer = await this.#ask(`/api/verdicts/${eventId}`, {
      mayBeAbsent: true,
    });
    return answer === undefined ? undefined : this.#parse(replay, answer);
  }

  /** @param weights in percent; the usual ones without */
  async readPlan(query: {
    minutes: number;
    weights: readonly number[] | undefined;
  }): Promise<PlanReport> {
    const { minutes, weights } = query;
    const search = new URLSearchParams({ minutes: String(minutes) });
    if (weights !== undefined) search.set("weights", weights.join(","));
    const answer = await this.#ask(`/api/plan?${search.toString()}`, {
      timeoutMs: PLAN_TIMEOUT_MS,
    });
    const plan = parsePlan(answer);
    if (plan === undefined) throw this.#otherProgram();
    return plan;
  }

  async sendTestMail(): Promise<TestMail> {
    const answer = await this.#ask("/api/test-mail", { method: "POST" });
    return this.#parse(testMail, answer);
  }

  async #ask(
    path: string,
    options: {
      method?: "POST";
      mayBeAbsent?: boolean;
      timeoutMs?: number;
    } = {},
  ): Promise<unknown> {
    const { method = "GET", mayBeAbsent = false } = options;
    const { timeoutMs = TIMEOUT_MS } = options;
    const { monitorUrl, adminToken } = this.#config;
    const token =
      method === "POST" && adminToken !== undefined
        ? { authorization: `Bearer ${adminToken}` }
        : {};
    try {
      const response = await fetch(new URL(path, monitorUrl), {
        method,
        headers: token,
        // A redirect must not pass the token to another server.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer: unknown = await response.json().catch(() => undefined);
      if (mayBeAbsent && response.status === 404) return undefined;
      if (!response.ok) throw this.#refusal(response.status, answer);
      return answer;
    } catch (err) {
      if (err instanceof CliError) throw err;
      throw new CliError(
        EXIT.unreachable,
        `the monitor at ${this.url} cannot be reached: ${describeFailure(err)}`,
      );
    }
  }

  #refusal(status: number, answer: unknown): CliError {
    const body = z.object({ error: z.string() }).safeParse(answer).data;
    const why = body === undefined ? `status ${status}` : body.error;
    if (status === 401 || status === 403)
      return new CliError(
        EXIT.refused,
        `the monitor at ${this.url} refuses: ADMIN_TOKEN is not ${this.#config.adminToken === undefined ? "set here" : "the monitor's"} (${why})`,
      );
    return new CliError(
      EXIT.unreachable,
      `the monitor at ${this.url} cannot answer: ${why}`,
    );
  }

  #parse<T>(shape: z.ZodType<T>, answer: unknown): T {
    const parsed = shape.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw this.#otherProgram();
  }

  #otherProgram(): CliError {
    return new CliError(
      EXIT.unreachable,
      `the server at ${this.url} is not a monitor of this version: check MONITOR_URL`,
    );
  }
}
