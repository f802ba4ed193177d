import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { connectUpstream } from "./connection-pool.js";
import type { Attempt, Engine, UpstreamTimeouts } from "./engine.js";
import { followAttempt } from "./follow-attempt.js";
import { clientResponseHeaders } from "./headers.js";

/** An attempt to switch protocols; its response is bound to `socket` until the upstream agrees. */
export interface UpgradeAttempt extends Attempt {
  socket: Socket;
  /** What the client sent behind its request's head. */
  head: Buffer;
}

/**
 * Carries WebSockets. Not by http-proxy: its `ws` ends the client's socket on every failure, so that prod could not
 * answer in the canary's place, dies of a reset before the 101, and passes a refusal on with the wrong framing.
 */
export class TunnelEngine implements Engine<UpgradeAttempt> {
  readonly #timeouts: UpstreamTimeouts;
  readonly #open = new Set<Socket>();

  constructor(timeouts: UpstreamTimeouts) {
    this.#timeouts = timeouts;
  }

  forward(attempt: UpgradeAttempt): void {
    const { request, upstream } = attempt;
    const upstreamRequest = httpRequest({
      method: request.method,
      path: request.url,
      headers: {
        ...request.headers,
        connection: "Upgrade",
        upgrade: "websocket",
      },
      createConnection: () =>
        connectUpstream(upstream, this.#timeouts.connectMs),
    });
    const settle = followAttempt(
      upstreamRequest,
      attempt,
      this.#timeouts.responseMs,
    );
    upstreamRequest.once(
      "upgrade",
      (response, upstreamSocket, upstreamHead) => {
        if (!settle()) return void upstreamSocket.destroy();
        this.#join(attempt, response, {
          socket: upstreamSocket,
          head: upstreamHead,
        });
        attempt.onResponse(101);
      },
    );
    upstreamRequest.end();
  }

  /** Ends every tunnel in order, and by force those that still stand after `drainMs`. */
  close(drainMs: number): void {
    for (const socket of this.#open) socket.end();
    setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, drainMs).unref();
  }

  #join(
    attempt: UpgradeAttempt,
    response: IncomingMessage,
    upstream: { socket: Socket; head: Buffer },
  ): void {
    const { socket, head } = attempt;
    attempt.response.detachSocket(socket);
    upstream.socket.setTimeout(0);
    socket.write(switchingHead(response, attempt.upstream.side));
    if (upstream.head.length > 0) socket.write(upstream.head);
    if (head.length > 0) upstream.socket.write(head);
    this.#link(socket, upstream.socket);
    this.#link(upstream.socket, socket);
  }

  #link(from: Socket, to: Socket): void {
    this.#open.add(from);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.once("close", () => {
      this.#open.delete(from);
      to.destroySoon();
    });
  }
}

function switchingHead(response: IncomingMessage, servedBy: string): string {
  const headers = clientResponseHeaders(response.rawHeaders, servedBy);
  headers.push("Connection", "Upgrade", "Upgrade", "websocket");
  const lines = [
    `HTTP/1.1 101 ${response.statusMessage ?? "Switching Protocols"}`,
  ];
  for (let i = 0; i + 1 < headers.length; i += 2)
    lines.push(`${headers[i] ?? ""}: ${headers[i + 1] ?? ""}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
