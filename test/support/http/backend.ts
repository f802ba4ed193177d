import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { Server as NetServer, type AddressInfo, type Socket } from "node:net";
import { onCleanup } from "../cleanup.js";
import { waitFor } from "../wait-for.js";

/** An upstream for a proxy. It closes after the test. */
export interface Backend<S extends NetServer = NetServer> {
  readonly server: S;
  readonly port: number;
  readonly url: URL;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** How many connections have been accepted so far. */
  readonly accepted: () => number;
  /** Closes it and all its connections immediately; its port then refuses connections. */
  readonly stop: () => Promise<void>;
}

/** An HTTP server on a free port. */
export async function startBackend(
  listener: RequestListener,
): Promise<Backend<Server>> {
  return await listen(createServer(listener));
}

/** A connection of a raw backend. */
export interface RawConnection {
  readonly socket: Socket;
  /** Counted from 0. */
  readonly index: number;
  /** All bytes received, as latin1. */
  received: string;
}

export interface RawBackend extends Backend {
  /** All connections in order, including closed ones. */
  readonly connections: readonly RawConnection[];
  /** Waits until a connection has received `text`. */
  readonly sees: (text: string) => Promise<RawConnection>;
}

/**
 * A TCP server on a free port that responds with the bytes of the test.
 *
 * @param onData called with each received chunk, after it was added to `received`
 */
export async function startRawBackend(
  onData: (connection: RawConnection, piece: string) => void,
): Promise<RawBackend> {
  const connections: RawConnection[] = [];
  const server = new NetServer({ noDelay: true });
  server.on("connection", (socket) => {
    const connection = { socket, index: connections.length, received: "" };
    connections.push(connection);
    socket.on("error", () => socket.destroy());
    socket.setEncoding("latin1").on("data", (piece: string) => {
      connection.received += piece;
      onData(connection, piece);
    });
  });
  const sees = (text: string) =>
    waitFor(`${JSON.stringify(text)} at the upstream`, () =>
      connections.find(({ received }) => received.includes(text)),
    );
  return { ...(await listen(server)), connections, sees };
}

/** An HTTP server that answers each request with its own name. */
export async function startNamedBackend(
  name: string,
): Promise<Backend<Server> & { seen: string[] }> {
  const seen: string[] = [];
  const backend = await startBackend((request, response) => {
    seen.push(request.url ?? "");
    response.end(name);
  });
  return { ...backend, seen };
}

async function listen<S extends NetServer>(server: S): Promise<Backend<S>> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on("connection", (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  onCleanup(stop);
  const url = new URL(`http://127.0.0.1:${port}`);
  return { server, port, url, sockets, accepted: () => accepted, stop };
}
