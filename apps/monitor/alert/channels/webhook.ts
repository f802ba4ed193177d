import { createHmac } from "node:crypto";
import {
  request as requestHttp,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { request as requestHttps } from "node:https";
import { BusyError, RefusedError, type Channel } from "./channel.js";
import type { NoticeSettings } from "../message/notice.js";
import { composeWebhookMessage } from "./webhook-message.js";

const ANSWER_TIMEOUT_MS = 10_000;
/** What is wrong with this message: malformed, too large, unprocessable. Every other status may be fixed. */
const REFUSALS = new Set([400, 413, 422]);
/** A receiver that asks for more does not keep an alert for longer. */
const MAX_PAUSE_MS = 600_000;

export interface WebhookConfig {
  /** Often a secret, as Slack's is: never log it. */
  url: URL;
  /** Signs the requests. */
  secret: string | undefined;
}

/**
 * POSTs each report as JSON. It does not follow redirects, because the signature is for one receiver. It ignores the
 * response body, and closes the connection.
 */
export function createWebhookChannel(
  config: WebhookConfig,
  notice: NoticeSettings,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Channel {
  const closing = new AbortController();
  return {
    name: "webhook",
    send: async (report) => {
      const body = JSON.stringify(composeWebhookMessage(report, notice));
      const timeout = AbortSignal.timeout(timeoutMs);
      const { statusCode, headers } = await post(config.url, body, {
        headers: {
          "content-type": "application/json",
          "user-agent": "serin-monitor",
          ...sign(body, config.secret, Date.now()),
        },
        signal: AbortSignal.any([closing.signal, timeout]),
      }).catch((err: unknown) => {
        throw timeout.aborted
          ? new Error(`webhook: no answer in ${timeoutMs} ms`)
          : new Error(`webhook: ${describeFailure(err)}`);
      });
      checkAnswer(statusCode ?? 0, headers["retry-after"]);
    },
    close: () => closing.abort(),
  };
}

/**
 * `t=<seconds since the epoch>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. The signed time lets a receiver reject replays.
 */
function sign(
  body: string,
  secret: string | undefined,
  nowMs: number,
): Record<string, string> {
  if (secret === undefined) return {};
  const t = Math.floor(nowMs / 1000);
  const v1 = createHmac("sha256", secret).update(`${t}.${body}`).digest("hex");
  return { "serin-signature": `t=${t},v1=${v1}` };
}

function post(
  url: URL,
  body: string,
  options: RequestOptions,
): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    // No agent: an idle connection would delay the monitor's stop.
    const sending = request(url, { ...options, method: "POST", agent: false });
    sending.on("error", reject).on("response", (response) => {
      resolve(response);
      response.destroy();
    });
    sending.end(body);
  });
}

function checkAnswer(status: number, retryAfter: string | undefined): void {
  if (status >= 200 && status < 300) return;
  const message = `webhook: answered with status ${status}`;
  if (REFUSALS.has(status)) throw new RefusedError(message);
  const pauseMs = readRetryAfter(retryAfter, Date.now());
  throw pauseMs === undefined
    ? new Error(message)
    : new BusyError(message, pauseMs);
}

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), ten minutes at most; undefined if it is neither. */
export function readRetryAfter(
  value: string | undefined,
  nowMs: number,
): number | undefined {
  const text = value?.trim() ?? "";
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]+,? /.test(text)
      ? Date.parse(text) - nowMs
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_PAUSE_MS, Math.max(0, ms));
}

/** Network errors name host and port, never the path. */
function describeFailure(err: unknown): string {
  const { code, message } = err as NodeJS.ErrnoException;
  return code ?? message;
}
