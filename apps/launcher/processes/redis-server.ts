import { connect } from "node:net";

const PING_TIMEOUT_MS = 1000;

/** Listens on loopback only and writes nothing to disk. */
export function redisServerArgs(options: {
  port: number;
  directory: string;
}): string[] {
  const { port, directory } = options;
  const settings = { port, bind: "127.0.0.1", save: "", appendonly: "no" };
  return Object.entries({ ...settings, dir: directory }).flatMap(
    ([name, value]) => [`--${name}`, String(value)],
  );
}

/** Whether a Redis on this loopback port serves commands. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () =>
      socket.write("PING\r\n"),
    );
    socket.setTimeout(PING_TIMEOUT_MS, () => socket.destroy());
    socket.once("data", (answer) => {
      resolve(answer.toString().startsWith("+PONG"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
