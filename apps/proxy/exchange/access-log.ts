import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Logger } from "../../../lib/program/log.js";
import type { Upstream } from "../engines/upstreams.js";
import { valuesOf } from "../http/headers.js";
import type { ReceivedRequest } from "../http/received-request.js";

/**
 * Further lines of a second are counted, not written, unless all requests are logged: a failing upstream must not fill the
 * disk.
 */
const MAX_LINES_A_SECOND = 100;
const MAX_TEXT = 256;

export interface AccessLogConfig {
  /** The share of good requests that are logged, from 0 to 1. */
  sampleRatio: number;
  /** A request that waited this long is bad. */
  slowMs: number;
}

/** A request that has ended. */
export interface Ended {
  request: ReceivedRequest;
  /** As they were sent to the upstream. */
  headers: readonly string[];
  /** As traffic is counted: `GET /cart`, or `other`. Called only for a line. */
  readRoute: () => string;
  /** Chosen by the split. */
  side: Side;
  /** That answered, or failed last. */
  upstream: Upstream;
  /** The client's; 499 if it left before the response. */
  status: number;
  /** The canary's own, where prod answered in its place. */
  canaryStatus: number | undefined;
  /** Prod turned it away because the flag is off, which is no failure. */
  withoutFeature: boolean;
  /** The response broke off. */
  isCut: boolean;
  /** What the client waited for the response's head, from the end of its request. */
  waitedMs: number;
  /** What the last upstream took for it, with the connection. */
  upstreamMs: number;
}

/**
 * Logs each bad request as a line of JSON: failed, slow, cut off, or answered by prod in the canary's place; and a sample of
 * the others. Query strings are left out, because they may hold secrets.
 */
export class AccessLog {
  readonly #logger: Logger;
  readonly #config: AccessLogConfig;
  readonly #random: () => number;
  #secondEndsAt = 0;
  #lines = 0;
  #unlogged = 0;

  /** @param random uniform in [0, 1) */
  constructor(
    logger: Logger,
    config: AccessLogConfig,
    random: () => number = Math.random,
  ) {
    this.#logger = logger;
    this.#config = config;
    this.#random = random;
  }

  /** @param now monotonic ms */
  note(ended: Ended, now: number): void {
    const { sampleRatio } = this.#config;
    if (!this.#isBad(ended) && this.#random() >= sampleRatio) return;
    if (now >= this.#secondEndsAt) {
      this.#secondEndsAt = now + 1000;
      this.#lines = 0;
    }
    if (this.#lines === MAX_LINES_A_SECOND && sampleRatio < 1) {
      this.#unlogged += 1;
      return;
    }
    this.#lines += 1;
    this.#logger.info(
      { ...describe(ended), unlogged: this.#unlogged },
      "request",
    );
    this.#unlogged = 0;
  }

  #isBad(ended: Ended): boolean {
    const { status, withoutFeature, canaryStatus, isCut, waitedMs } = ended;
    return (
      (status >= 499 && !withoutFeature) ||
      canaryStatus !== undefined ||
      isCut ||
      waitedMs >= this.#config.slowMs
    );
  }
}

function describe(ended: Ended): object {
  const { request, headers, side, upstream, status, canaryStatus } = ended;
  const { method, url = "", socket } = request;
  const traceparent = firstValue(headers, "traceparent");
  return {
    method,
    route: ended.readRoute(),
    path: bounded(url.replace(/[?#].*$/s, "")),
    status,
    side,
    servedBy: upstream.side,
    upstream: upstream.name,
    ms: Math.round(ended.waitedMs * 10) / 10,
    upstreamMs: Math.round(ended.upstreamMs * 10) / 10,
    ...(canaryStatus === undefined ? {} : { canaryStatus }),
    ...(ended.withoutFeature ? { withoutFeature: true } : {}),
    ...(ended.isCut ? { cut: true } : {}),
    client: socket.remoteAddress,
    requestId: requestIdOf(headers),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** @param headers as they were sent to the upstream */
export function requestIdOf(headers: readonly string[]): string | undefined {
  return firstValue(headers, "x-request-id");
}

function firstValue(
  headers: readonly string[],
  name: string,
): string | undefined {
  const [value] = valuesOf(headers, name);
  return value && bounded(value);
}

function bounded(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
