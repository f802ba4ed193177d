import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onCleanup } from "../cleanup.js";

/** A TCP relay to a loopback server that can go silent without closing, like a cut cable or a firewall that drops state. */
export interface MuteLink {
  port: number;
  /** Connections opened through it. */
  opened: () => number;
  /** Where new connections go from now on, as after a fail-over. */
  redirect: (targetPort: number) => void;
  /** Silences the open connections in both directions; new connections work. */
  mute: () => void;
}

export async function startMuteLink(firstPort: number): Promise<MuteLink> {
  let targetPort = firstPort;
  let opened = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    opened += 1;
    const far = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onCleanup(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return {
    port: (server.address() as AddressInfo).port,
    opened: () => opened,
    redirect: (port) => (targetPort = port),
    mute: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}
