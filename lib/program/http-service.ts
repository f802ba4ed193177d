import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as NetServer, type AddressInfo, type Socket } from "node:net";
import { Bag, type BagItem } from "../bag.js";
import { SilenceWatch } from "./silence-watch.js";
import { onLeftWaiting } from "./waiting-response.js";

/** How long an idle kept-alive connection may still bring a request that was on its way when the stop began. */
const IDLE_GRACE_MS = 250;
const SWEEP_INTERVAL_MS = 25;

interface InFlight extends BagItem {
  readonly response: ServerResponse;
}

/**
 * An HTTP server that can be stopped without losing a request: it refuses new connections, tells those that are open to
 * go (`Connection: close`), and ends what is idle. Upgraded sockets are ended by whoever upgraded them, and cut off with
 * all others when the time for that is over.
 */
export class HttpService {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #inFlight = new Bag<InFlight>();
  readonly #silence: SilenceWatch<Socket> | undefined;
  #draining = false;
  #closed: Promise<void> | undefined;

  /** @param options.keepAliveMs how long a connection may stay open between requests; without it the server's own rule holds */
  constructor(server: Server, options: { keepAliveMs?: number } = {}) {
    this.server = server;
    const { keepAliveMs } = options;
    if (keepAliveMs !== undefined) this.#silence = this.#endIdle(keepAliveMs);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      this.#silence?.add(socket, socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.prependListener(
      "request",
      (request: IncomingMessage, response: ServerResponse) => {
        const inFlight = { response, slot: -1 };
        const forget = () => this.#inFlight.delete(inFlight);
        this.#inFlight.add(inFlight);
        response.on("close", forget);
        onLeftWaiting(request, response, forget);
        if (this.#draining) announceEnd(response);
      },
    );
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** @returns the port, chosen by the system when `port` is 0. @throws when the address cannot be had. */
  async listen(address: { host: string; port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(address, () => {
        this.server.off("error", reject);
        resolve();
      });
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Resolves when every connection has ended, which is forced after `drainMs`. May be called twice. */
  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#drain(drainMs);
    return this.#closed;
  }

  /** What waits for a response is not idle, nor what was upgraded. */
  #endIdle(keepAliveMs: number): SilenceWatch<Socket> {
    const silence = new SilenceWatch<Socket>(keepAliveMs, (silent) => {
      const busy = new Set<Socket>();
      for (const { response } of this.#inFlight) busy.add(response.req.socket);
      for (const socket of silent) if (!busy.has(socket)) socket.destroySoon();
    });
    this.server.prependListener("upgrade", ({ socket }) =>
      silence.remove(socket),
    );
    return silence;
  }

  async #drain(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#silence?.close();
    for (const { response } of this.#inFlight)
      if (!response.headersSent) announceEnd(response);
    const startedAt = performance.now();
    const sweep = setInterval(() => {
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs >= drainMs)
        for (const socket of this.#sockets) socket.destroy();
      else if (elapsedMs >= Math.min(IDLE_GRACE_MS, drainMs))
        this.server.closeIdleConnections();
    }, SWEEP_INTERVAL_MS);
    // http.Server's own close() would end idle connections at once, and with them requests that are on their way.
    await new Promise<void>((resolve) =>
      NetServer.prototype.close.call(this.server, () => resolve()),
    );
    clearInterval(sweep);
    this.server.close();
  }
}

/** `Connection: close`, without a header set: after one, writeHead() would merge repeated headers such as Set-Cookie. */
function announceEnd(response: ServerResponse): void {
  response.shouldKeepAlive = false;
}
