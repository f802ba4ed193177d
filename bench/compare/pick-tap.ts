/**
 * Preloaded into a proxy (`node --import`), records when the proxy last sent a request to the upstream at TAPPED_PORT. Over
 * IPC it answers any message with that time.
 */
import { Socket } from "node:net";
import { monotonicMs } from "../../test/support/system/monotonic.js";

export interface Picks {
  count: number;
  /** -Infinity before the first pick. */
  lastAtMs: number;
}

const port = Number(process.env.TAPPED_PORT);
const tapped = new WeakSet<Socket>();
let count = 0;
let lastAtMs = -Infinity;

type Method = (this: Socket, ...args: unknown[]) => unknown;

/** Calls `before` with the arguments of each call of a socket method. */
function tap(
  name: "connect" | "write",
  before: (socket: Socket, args: unknown[]) => void,
): void {
  const methods = Socket.prototype as unknown as Record<string, Method>;
  const original = methods[name];
  if (original === undefined) throw new Error(`sockets have no ${name}`);
  methods[name] = function (...args) {
    before(this, args);
    return original.apply(this, args);
  };
}

// net's own functions pass their arguments in an array.
tap("connect", (socket, args) => {
  const [options] = args.flat() as { port?: number }[];
  if (Number(options?.port) === port) tapped.add(socket);
});
tap("write", (socket) => {
  if (!tapped.has(socket)) return;
  count += 1;
  lastAtMs = monotonicMs();
});
process.on("message", () => {
  const picks: Picks = { count, lastAtMs };
  process.send?.(picks);
});
// The tap must not keep the proxy alive.
process.channel?.unref();
