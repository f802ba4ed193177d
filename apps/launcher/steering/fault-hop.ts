import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Below the threshold of the latency rule, so that it takes the comparison with prod to notice it. */
const DELAY_MS = 300;
const RETRY_MS = 5;
const BODY = "failed on purpose by serin dev\n";
const ERROR_RESPONSE = [
  "HTTP/1.1 500 Internal Server Error",
  "content-type: text/plain",
  `content-length: ${BODY.length}`,
  "connection: close",
  "",
  BODY,
].join("\r\n");

export type HopMode = "pass" | "slow" | "errors";

/**
 * Relays the canary's TCP connections, so that any service, protocol and language can be made slow or failing. It delays what
 * the service sends, or answers 500 in its place.
 */
export class FaultHop {
  mode: HopMode = "pass";
  /** Whether connections wait for a service that is starting, until it accepts the first; they fail otherwise. */
  isWaiting = false;
  readonly #target: { host: string; port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      void this.#relay(client);
    });
  }

  /** Waits until the port is free, and listens there. */
  async listen(host: string, port: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const listening = once(this.#server, "listening", { signal });
      this.#server.listen({ host, port });
      try {
        await listening;
        return;
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code !== "EADDRINUSE") throw err;
        await sleep(RETRY_MS, undefined, { signal });
      }
    }
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #relay(client: Socket): Promise<void> {
    this.#keep(client);
    client.pause();
    if (this.mode === "errors") {
      client.on("data", () => client.end(ERROR_RESPONSE));
      client.resume();
      return;
    }
    const service = await this.#connect(client);
    if (service === undefined) {
      client.destroy();
      return;
    }
    client.on("data", (chunk) => {
      if (this.mode === "errors") client.end(ERROR_RESPONSE);
      else service.write(chunk);
    });
    this.#join(client, service);
    client.resume();
  }

  #join(client: Socket, service: Socket): void {
    client.on("end", () => service.end());
    client.once("close", () => service.destroy());
    service.on("data", (chunk) =>
      this.#later(() => client.writable && client.write(chunk)),
    );
    service.once("close", () => this.#later(() => client.end()));
    service.on("end", () => this.#later(() => client.end()));
  }

  /** @returns undefined if the service cannot be reached, or the client has left */
  async #connect(client: Socket): Promise<Socket | undefined> {
    for (;;) {
      const service = connect({ ...this.#target, allowHalfOpen: true });
      this.#keep(service);
      const isOpen = await once(service, "connect").then(
        () => true,
        () => false,
      );
      if (isOpen) {
        this.isWaiting = false;
        return service;
      }
      if (!this.isWaiting || client.destroyed) return undefined;
      await sleep(RETRY_MS);
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #later(send: () => unknown): void {
    if (this.mode === "slow") setTimeout(send, DELAY_MS);
    else send();
  }
}
