import { createHmac } from "node:crypto";
import { request as requestHttp, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { RefusedError, type Channel } from "./channel.js";
import type { NoticeSettings } from "../message/notice.js";
import { composeWebhookMessage } from "./webhook-message.js";

const ANSWER_TIMEOUT_MS = 10_000;
/** Timeout and rate limit: retried, unlike the other statuses from 400 to 499. */
const PASSING_REFUSALS = new Set([408, 429]);

export interface WebhookConfig {
  /** Often a secret, as Slack's is: never log it. */
  url: URL;
  /** Signs the requests. */
  secret: string | undefined;
}

/**
 * POSTs each event as JSON. It does not follow redirects, because the signature is for one receiver. It ignores the
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
    send: async (event) => {
      const body = JSON.stringify(composeWebhookMessage(event, notice));
      const timeout = AbortSignal.timeout(timeoutMs);
      const status = await post(config.url, body, {
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
      checkStatus(status);
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
): Promise<number> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    // No agent: an idle connection would delay the monitor's stop.
    const sending = request(url, { ...options, method: "POST", agent: false });
    sending.on("error", reject).on("response", (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sending.end(body);
  });
}

function checkStatus(status: number): void {
  if (status >= 200 && status < 300) return;
  const isRefusal =
    status >= 300 && status < 500 && !PASSING_REFUSALS.has(status);
  const message = `webhook: answered with status ${status}`;
  throw isRefusal ? new RefusedError(message) : new Error(message);
}

/** Network errors name host and port, never the path. */
function describeFailure(err: unknown): string {
  const { code, message } = err as NodeJS.ErrnoException;
  return code ?? message;
}
