import type { IncomingMessage, ServerResponse } from "node:http";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { onLeftWaiting } from "../../../lib/program/waiting-response.js";
import type { Engine, Failure, Ongoing } from "../engines/engine.js";
import { answerFailure, statusOfFailure } from "./answers.js";
import { hasBody } from "../http/headers.js";
import { decideRetry, type FailedAttempt } from "./retry.js";
import {
  CLIENT_CLOSED,
  type PendingRequest,
  type TrafficRecorder,
} from "../traffic/traffic-recorder.js";
import type { Upstream, Upstreams } from "../engines/upstreams.js";

/** What an exchange needs of the proxy around it. */
export interface ExchangeContext {
  upstreams: Readonly<Record<Side, Upstreams>>;
  recorder: TrafficRecorder;
  /** What the outcome of a request that begins now is told with. */
  era: () => number;
  /**
   * Told of each request that the side which the split chose answered, or failed to; and once more, by 502, of an answer that
   * broke off.
   */
  onOutcome: (side: Side, status: number, era: number) => void;
  /** Told of each attempt that failed, also where another then succeeded. */
  onFailedAttempt: (
    upstream: Upstream,
    failure: Pick<Failure, "kind" | "cause">,
  ) => void;
}

/**
 * One request from its side's choice to its outcome. What the canary fails before its response has begun, prod answers
 * where that is safe; the request then still counts as the canary's, and as its error.
 */
export class Exchange {
  readonly #context: ExchangeContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #headers: readonly string[];
  readonly #engine: Pick<Engine, "forward">;
  readonly #hasBody: boolean;
  readonly #pending: PendingRequest;
  readonly #era: number;
  /** The canary's own status, once prod has taken over. */
  #canaryStatus: number | undefined;
  #freshTried = false;
  #canaryTried = false;
  #prodTried = false;
  #ongoing: Ongoing | undefined;

  /** @param picked when its side was, in monotonic ms @param message.headers those that upstreams are to see */
  constructor(
    context: ExchangeContext,
    picked: { side: Side; startedAt: number },
    message: {
      request: IncomingMessage;
      response: ServerResponse;
      headers: readonly string[];
      engine: Pick<Engine, "forward">;
    },
  ) {
    const { side, startedAt } = picked;
    this.#context = context;
    this.#request = message.request;
    this.#response = message.response;
    this.#headers = message.headers;
    this.#engine = message.engine;
    this.#hasBody = hasBody(message.request);
    this.#era = context.era();
    this.#pending = context.recorder.begin(side, startedAt, message.request);
    this.#response.on("close", () => this.#onResponseClosed());
    onLeftWaiting(this.#request, this.#response, () => this.#onClientLeft());
    this.#try(context.upstreams[side].next(startedAt), false);
  }

  #try(upstream: Upstream, freshConnection: boolean): void {
    try {
      this.#ongoing = this.#engine.forward({
        request: this.#request,
        response: this.#response,
        headers: this.#headers,
        upstream,
        hasBody: this.#hasBody,
        freshConnection,
        onResponse: (status) => this.#finish(status),
        onCut: (cause) => this.#countCut(upstream, cause),
        onFailure: (failure) => this.#retryOrAnswer(upstream, failure),
      });
    } catch (err) {
      // What cannot even be sent must not end the process, and everybody else's requests with it.
      this.#retryOrAnswer(upstream, {
        kind: "bad-response",
        reusedConnection: false,
        cause: err as Error,
      });
    }
  }

  #retryOrAnswer(upstream: Upstream, failure: Failure): void {
    this.#context.onFailedAttempt(upstream, failure);
    const { prod, canary } = this.#context.upstreams;
    if (failure.kind === "unreachable" || failure.kind === "connect-timeout") {
      this.#context.upstreams[upstream.side].avoid(upstream, performance.now());
    }
    switch (decideRetry(this.#describe(upstream, failure))) {
      case "same-fresh":
        this.#freshTried = true;
        this.#try(upstream, true);
        return;
      case "canary":
        this.#canaryTried = true;
        this.#try(canary.next(performance.now(), upstream), false);
        return;
      case "prod":
        this.#prodTried = true;
        if (upstream.side === "canary")
          this.#canaryStatus = statusOfFailure(failure.kind);
        this.#try(prod.next(performance.now(), upstream), false);
        return;
      case "give-up":
        this.#finish(
          answerFailure(this.#response, {
            kind: failure.kind,
            servedBy: upstream.side,
          }),
        );
    }
  }

  #describe(upstream: Upstream, failure: Failure): FailedAttempt {
    const { prod, canary } = this.#context.upstreams;
    return {
      side: upstream.side,
      failure,
      method: this.#request.method ?? "",
      hasBody: this.#hasBody,
      freshTried: this.#freshTried,
      canaryTried: this.#canaryTried,
      canaryHasAnother: canary.all.length > 1,
      prodTried: this.#prodTried,
      prodHasAnother: prod.all.length > 1,
    };
  }

  #onResponseClosed(): void {
    if (!this.#response.writableFinished) this.#onClientLeft();
    else if (!this.#request.complete)
      // Answered early: of an upload that then breaks off, nobody else is told.
      this.#request.socket.once("close", () => this.#ongoing?.abandon());
  }

  #onClientLeft(): void {
    this.#finish(CLIENT_CLOSED);
    this.#ongoing?.abandon();
  }

  #countCut(upstream: Upstream, cause: Error): void {
    const { onFailedAttempt, onOutcome } = this.#context;
    onFailedAttempt(upstream, { kind: "bad-response", cause });
    const { side } = this.#pending;
    if (upstream.side === side)
      onOutcome(side, statusOfFailure("bad-response"), this.#era);
  }

  #finish(status: number): void {
    const outcome = {
      status: this.#canaryStatus ?? status,
      rescued: this.#canaryStatus !== undefined,
    };
    const { recorder, onOutcome } = this.#context;
    if (recorder.finish(this.#pending, outcome, performance.now()))
      onOutcome(this.#pending.side, outcome.status, this.#era);
  }
}
