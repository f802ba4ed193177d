import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { connectUpstream } from "./upstream-socket.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "./engine.js";
import { followAttempt } from "./follow-attempt.js";
import {
  clientResponseHeaders,
  headerLines,
  type ResponseSource,
} from "../http/headers.js";
import { headersWithHost } from "./request-head.js";
import { framingOf } from "../http/response-head.js";
import type { WaitingClient } from "./waiting-client.js";

/** An attempt to switch protocols. Its response is bound to the client's socket until the upstream agrees. */
export interface UpgradeAttempt extends Attempt {
  client: WaitingClient;
}

/**
 * Carries WebSockets. http-proxy's `ws` is not used: it ends the client's socket on every failure, so that prod could not
 * answer for the canary, crashes on a reset before the 101, and relays a refusal with the wrong framing.
 */
export class TunnelEngine implements Engine<UpgradeAttempt> {
  readonly #limits: UpstreamLimits;
  readonly #open = new Set<Socket>();
  #isEnding = false;

  constructor(limits: UpstreamLimits) {
    this.#limits = limits;
  }

  forward(attempt: UpgradeAttempt): Ongoing {
    const { request, upstream } = attempt;
    const upstreamRequest = httpRequest({
      method: request.method,
      path: request.url,
      maxHeaderSize: this.#limits.maxHeaderBytes,
      headers: [
        ...headersWithHost(attempt),
        ...["Connection", "Upgrade", "Upgrade", "websocket"],
      ],
      createConnection: () =>
        connectUpstream(upstream, this.#limits.connectTimeoutMs),
    });
    upstreamRequest.maxHeadersCount = 0;
    const followed = followAttempt(upstreamRequest, attempt, (answer) =>
      framingOf(answer, false),
    );
    upstreamRequest.setTimeout(
      this.#limits.responseTimeoutMs,
      followed.onTimeout,
    );
    upstreamRequest.once(
      "upgrade",
      (response, upstreamSocket, upstreamHead) => {
        if (!followed.settle()) return void upstreamSocket.destroy();
        this.#join(attempt, response, {
          socket: upstreamSocket,
          head: upstreamHead,
        });
        attempt.onResponse(101, []);
      },
    );
    upstreamRequest.end();
    return followed;
  }

  /** Ends every tunnel, also those that open later. Both peers see an orderly end of the stream. */
  end(): void {
    this.#isEnding = true;
    for (const socket of this.#open) socket.end();
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #join(
    attempt: UpgradeAttempt,
    response: IncomingMessage,
    upstream: { socket: Socket; head: Buffer },
  ): void {
    const { socket } = attempt.client;
    attempt.response.detachSocket(socket);
    socket.write(switchingHead(response, attempt.readSource()), "latin1");
    socket.write(upstream.head);
    upstream.socket.write(attempt.client.release());
    this.#link(socket, upstream.socket);
    this.#link(upstream.socket, socket);
    if (this.#isEnding) this.end();
  }

  #link(from: Socket, to: Socket): void {
    this.#open.add(from);
    from.pipe(to);
    // While `to` accepts nothing, nothing is read from `from`, and its end would not be detected.
    to.setTimeout(this.#limits.responseTimeoutMs).on("timeout", () => {
      if (to.writableLength > 0) to.destroy();
    });
    from.on("error", () => to.destroy());
    from.once("close", () => {
      this.#open.delete(from);
      to.destroySoon();
    });
  }
}

function switchingHead(
  response: IncomingMessage,
  source: ResponseSource,
): string {
  const headers = clientResponseHeaders(response.rawHeaders, source);
  headers.push("Connection", "Upgrade", "Upgrade", "websocket");
  const reason = response.statusMessage ?? "Switching Protocols";
  return `HTTP/1.1 101 ${reason}\r\n${headerLines(headers)}\r\n`;
}
