import type { ServerResponse } from "node:http";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { FLAG_HEADER, saysOff } from "../../../lib/flag/flag-value.js";
import { onLeftWaiting } from "../../../lib/program/waiting-response.js";
import type { HostDealer } from "../dealing/host-deck.js";
import type { Picked } from "../dealing/side-picker.js";
import type {
  Attempt,
  Engine,
  Failure,
  FailureKind,
  Ongoing,
} from "../engines/engine.js";
import { requestIdOf, type AccessLog, type Ended } from "./access-log.js";
import { answerFailure, STATUS_OF_FAILURE } from "./answers.js";
import type { Outcome } from "../traffic/route-book.js";
import type { ReceivedRequest } from "../http/received-request.js";
import { hasBody, valuesOf, type ResponseSource } from "../http/headers.js";
import { decideRetry, type NextStep } from "./retry.js";
import {
  CLIENT_CLOSED,
  waitedFor,
  type PendingRequest,
  type TrafficRecorder,
} from "../traffic/traffic-recorder.js";
import type { AttemptEnd } from "../traffic/upstream-counts.js";
import type { Upstream, Upstreams } from "../engines/upstreams.js";

const NOT_FOUND = 404;

/** The parts of the proxy that an exchange uses. */
export interface ExchangeContext {
  upstreams: Readonly<Record<Side, Upstreams>>;
  /** Of prod's hosts. */
  hostDealer: HostDealer | undefined;
  recorder: TrafficRecorder;
  /** The era passed to `onOutcome` for a request that begins now. */
  era: () => number;
  /** Whether the flag is known to be false. */
  isFlagOff: () => boolean;
  isCanaryOpen: () => boolean;
  /**
   * Called with the outcome of each request, for the side that the split chose, unless it asked for the canary; again, with 502 and `isCut`, if its response
   * then breaks off. `waitedMs` runs from the end of the request, with its body.
   */
  onOutcome: (
    side: Side,
    outcome: Pick<Outcome, "status" | "withoutFeature">,
    request: {
      startedAt: number;
      waitedMs: number;
      era: number;
      isCut: boolean;
    },
  ) => void;
  /** Whether a request that one side answers 404 is tried on the other; undefined for never. @param now monotonic ms */
  areBothOut: ((now: number) => boolean) | undefined;
  /** Called for each failed attempt, even if a later one succeeds. */
  onFailedAttempt: (
    upstream: Upstream,
    failure: Pick<Failure, "kind" | "cause">,
  ) => void;
  accessLog: AccessLog | undefined;
  /** Whether responses have a `server-timing` of the proxy's. */
  tellsTiming: boolean;
}

export interface Message {
  request: ReceivedRequest;
  response: ServerResponse;
  /** For the upstreams. */
  headers: readonly string[];
  engine: Pick<Engine, "forward">;
}

/**
 * One request from the choice of its side to its outcome. If the canary fails before its response has begun, prod answers
 * where that is safe; the request still counts as the canary's error.
 */
export class Exchange {
  readonly #context: ExchangeContext;
  readonly #message: Message;
  readonly #hasBody: boolean;
  readonly #pending: PendingRequest;
  readonly #begun: { startedAt: number; era: number };
  /** The canary's own status, once prod answers in its place. */
  #canaryStatus: number | undefined;
  readonly #taken: NextStep[] = [];
  #tried: { upstream: Upstream; at: number };
  #ongoing: Ongoing | undefined;
  readonly #picked: Picked;
  /** Where the first answer was 404, once the other side is tried. */
  #notFoundAt: Upstream | undefined;

  /** @param begun.startedAt when the side was picked, in monotonic ms */
  constructor(
    context: ExchangeContext,
    begun: { picked: Picked; startedAt: number },
    message: Message,
  ) {
    const { picked, startedAt } = begun;
    const { side } = picked;
    const { request, response } = message;
    this.#context = context;
    this.#picked = picked;
    this.#message = message;
    this.#hasBody = hasBody(request);
    this.#begun = { startedAt, era: context.era() };
    this.#pending = context.recorder.begin(
      picked,
      startedAt,
      request,
      this.#hasBody ? request : undefined,
    );
    response.on("close", () => this.#onResponseClosed());
    onLeftWaiting(request, response, () => this.#onClientLeft());
    const upstream = context.upstreams[side].next(startedAt);
    this.#tried = { upstream, at: startedAt };
    if (side === "prod")
      this.#pending.seat = context.hostDealer?.deal(
        upstream,
        context.upstreams.prod.round,
        startedAt,
      );
    this.#try(false);
  }

  #retry(upstream: Upstream, freshConnection: boolean): void {
    this.#tried = { upstream, at: performance.now() };
    this.#pending.seat = undefined;
    this.#try(freshConnection);
  }

  #try(freshConnection: boolean): void {
    const { request, response, headers, engine } = this.#message;
    const { upstream } = this.#tried;
    try {
      this.#ongoing = engine.forward({
        request,
        response,
        headers,
        upstream,
        hasBody: this.#hasBody,
        freshConnection,
        readSource: () => this.#describeSource(upstream),
        discards: this.#findDiscards(upstream),
        onDiscarded: () => this.#tryOther(upstream),
        onResponse: (status, rawHeaders) => {
          const withoutFeature = this.#isWithoutFeature(status, rawHeaders);
          const isFailure = status >= 500 && !withoutFeature;
          this.#noteAttempt(isFailure ? "failed" : "served", true);
          this.#finish(status, withoutFeature);
        },
        onCut: (cause) => this.#countCut(upstream, cause),
        onFailure: (failure) => this.#retryOrAnswer(upstream, failure),
      });
    } catch (err) {
      // A request that cannot be sent must not end the process.
      this.#retryOrAnswer(upstream, {
        kind: "bad-response",
        reusedConnection: false,
        cause: err as Error,
      });
    }
  }

  #retryOrAnswer(upstream: Upstream, failure: Failure): void {
    const { upstreams, onFailedAttempt } = this.#context;
    const { side } = upstream;
    onFailedAttempt(upstream, failure);
    this.#noteAttempt("failed", false);
    if (failure.kind === "unreachable" || failure.kind === "connect-timeout")
      upstreams[side].avoid(upstream, performance.now());
    const back = this.#backFrom(upstream);
    if (back !== undefined) {
      this.#retry(back, false);
      return;
    }
    const step = decideRetry({
      side,
      failure,
      method: this.#message.request.method ?? "",
      hasBody: this.#hasBody,
      taken: this.#taken,
      hasAnother: {
        prod: upstreams.prod.all.length > 1,
        canary: upstreams.canary.all.length > 1,
      },
    });
    this.#taken.push(step);
    if (step === "give-up") {
      this.#answer(failure.kind, side);
      return;
    }
    const isOfCanary = (step === "same-fresh" ? side : step) === "canary";
    // It may have been stopped while this request waited.
    const to = isOfCanary && !this.#context.isCanaryOpen() ? "prod" : step;
    if (to === "same-fresh") this.#retry(upstream, true);
    else {
      if (side === "canary" && to === "prod")
        this.#canaryStatus = STATUS_OF_FAILURE[failure.kind];
      this.#retry(upstreams[to].next(performance.now(), upstream), false);
    }
  }

  #answer(kind: FailureKind, servedBy: Side): void {
    const { response, headers } = this.#message;
    const requestId = requestIdOf(headers);
    this.#finish(answerFailure(response, { kind, servedBy, requestId }));
  }

  #onResponseClosed(): void {
    const { request, response } = this.#message;
    if (!response.writableFinished) this.#onClientLeft();
    else if (!request.complete)
      // Answered early: nothing else reports that the upload breaks off.
      request.socket.once("close", () => this.#ongoing?.abandon());
  }

  #onClientLeft(): void {
    if (this.#finish(CLIENT_CLOSED)) this.#noteAttempt("left", false);
    this.#ongoing?.abandon();
  }

  #countCut(upstream: Upstream, cause: Error): void {
    const { onFailedAttempt, onOutcome } = this.#context;
    onFailedAttempt(upstream, { kind: "bad-response", cause });
    const { side } = this.#pending;
    const status = STATUS_OF_FAILURE["bad-response"];
    this.#log(
      { status, withoutFeature: false, isCut: true, waitedMs: 0 },
      performance.now(),
    );
    if (upstream.side === side && this.#picked.by !== "asked")
      onOutcome(side, { status }, { ...this.#begun, waitedMs: 0, isCut: true });
  }

  /** Which responses are not relayed: the first side's 404, and of the other side those that do not serve either. */
  #findDiscards(upstream: Upstream): Attempt["discards"] {
    const { areBothOut } = this.#context;
    if (areBothOut === undefined || this.#hasBody) return undefined;
    if (this.#backFrom(upstream) !== undefined)
      return (status) => status >= 400 && status !== NOT_FOUND;
    const { method, headers } = this.#message.request;
    if (
      this.#notFoundAt !== undefined ||
      this.#picked.by === "closed" ||
      headers.upgrade !== undefined ||
      (method !== "GET" && method !== "HEAD")
    )
      return undefined;
    return (status) => status === NOT_FOUND && areBothOut(performance.now());
  }

  /** The first side's upstream, if this one is of the other side. */
  #backFrom({ side }: Upstream): Upstream | undefined {
    return this.#notFoundAt?.side === side ? undefined : this.#notFoundAt;
  }

  #tryOther(upstream: Upstream): void {
    this.#noteAttempt("served", true);
    const other = upstream.side === "canary" ? "prod" : "canary";
    const next =
      this.#backFrom(upstream) ??
      this.#context.upstreams[other].next(performance.now());
    this.#notFoundAt ??= upstream;
    this.#retry(next, false);
  }

  #describeSource({ side: servedBy }: Upstream): ResponseSource {
    const timing = this.#context.tellsTiming
      ? this.#describeTiming()
      : undefined;
    return { servedBy, timing, setCookie: this.#picked.setCookie };
  }

  /** Both parts together are what the client waits. The proxy's has earlier attempts in it. */
  #describeTiming(): string {
    const now = performance.now();
    const waitedMs = waitedFor(this.#pending, now) ?? 0;
    const upstreamMs = Math.min(waitedMs, now - this.#tried.at);
    const proxyMs = waitedMs - upstreamMs;
    return `proxy;dur=${proxyMs.toFixed(1)}, upstream;dur=${upstreamMs.toFixed(1)}`;
  }

  /**
   * Whether prod turned the request away because the flag is off: it serves as it should, without the feature. A canary, and
   * prod while the flag is on, must not hide failures this way.
   */
  #isWithoutFeature(status: number, rawHeaders: readonly string[]): boolean {
    return (
      status === 503 &&
      this.#pending.side === "prod" &&
      this.#context.isFlagOff() &&
      valuesOf(rawHeaders, FLAG_HEADER).some(saysOff)
    );
  }

  #noteAttempt(end: AttemptEnd, isResponse: boolean): void {
    const { upstream, at } = this.#tried;
    const ms = isResponse ? performance.now() - at : undefined;
    this.#context.recorder.upstreams.note(upstream, end, ms);
  }

  /** @returns false if it was finished before */
  #finish(status: number, withoutFeature = false): boolean {
    const outcome = {
      status: this.#canaryStatus ?? status,
      rescued: this.#canaryStatus !== undefined,
      withoutFeature,
      isFallback: this.#notFoundAt !== undefined,
    };
    const { recorder, onOutcome } = this.#context;
    const { side } = this.#pending;
    const now = performance.now();
    const waitedMs = waitedFor(this.#pending, now) ?? 0;
    if (!recorder.finish(this.#pending, outcome, now)) return false;
    if (this.#picked.by !== "asked")
      onOutcome(side, outcome, { ...this.#begun, waitedMs, isCut: false });
    this.#log({ status, withoutFeature, isCut: false, waitedMs }, now);
    return true;
  }

  #log(
    end: Pick<Ended, "status" | "withoutFeature" | "isCut" | "waitedMs">,
    now: number,
  ): void {
    this.#context.accessLog?.note(
      {
        ...end,
        request: this.#message.request,
        headers: this.#message.headers,
        readRoute: () => this.#context.recorder.routeOf(this.#pending),
        side: this.#pending.side,
        upstream: this.#tried.upstream,
        canaryStatus: this.#canaryStatus,
        upstreamMs: now - this.#tried.at,
      },
      now,
    );
  }
}
