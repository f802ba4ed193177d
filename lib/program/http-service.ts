import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as NetServer, type AddressInfo, type Socket } from "node:net";
import { Bag, type BagItem } from "../bag.js";
import { SilenceWatch } from "./silence-watch.js";
import { onLeftWaiting } from "./waiting-response.js";

/** How long a stop keeps idle connections open by default, for requests that are already on their way. */
const IDLE_GRACE_MS = 250;
const SWEEP_INTERVAL_MS = 25;

interface InFlight extends BagItem {
  readonly response: ServerResponse;
}

/**
 * An HTTP server that stops without losing a request: it refuses new connections, answers on open ones with
 * `Connection: close`, and closes idle ones. The owner of an upgraded socket must end it; after the drain time, all remaining
 * sockets are destroyed.
 */
export class HttpService {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #inFlight = new Bag<InFlight>();
  readonly #silence: SilenceWatch<Socket> | undefined;
  #draining = false;
  #closed: Promise<void> | undefined;

  /** @param options.keepAliveMs longest idle time between two requests; the server's own setting by default */
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

  /** @returns the port, which the system selects if `port` is 0 @throws if the address is not available */
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

  /**
   * Resolves when all connections have ended. Closes those that are idle after `idleMs`, and destroys the remaining ones after
   * `drainMs`. May be called twice.
   */
  close(drainMs: number, idleMs = IDLE_GRACE_MS): Promise<void> {
    this.#closed ??= this.#drain(drainMs, Math.min(idleMs, drainMs));
    return this.#closed;
  }

  /** A connection that waits for a response or was upgraded is not idle. */
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

  async #drain(drainMs: number, idleMs: number): Promise<void> {
    this.#draining = true;
    this.#silence?.close();
    for (const { response } of this.#inFlight)
      if (!response.headersSent) announceEnd(response);
    const startedAt = performance.now();
    const closeSome = () => {
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs >= idleMs) this.server.closeIdleConnections();
      if (elapsedMs >= drainMs)
        for (const socket of this.#sockets) socket.destroy();
    };
    // A poll for input comes before an immediate: a request may have arrived while this turn of the event loop ran.
    const sweep = setInterval(() => setImmediate(closeSome), SWEEP_INTERVAL_MS);
    // http.Server's close() would end idle connections at once, and lose requests that are on their way.
    await new Promise<void>((resolve) =>
      NetServer.prototype.close.call(this.server, () => resolve()),
    );
    clearInterval(sweep);
    this.server.close();
  }
}

/** Sends `Connection: close`. With setHeader(), writeHead() would merge repeated headers such as Set-Cookie. */
function announceEnd(response: ServerResponse): void {
  response.shouldKeepAlive = false;
}
