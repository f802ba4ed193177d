/**
 * Preloaded into a proxy (`node --import`), notes when it last gave a request to the upstream at TAPPED_PORT, seen from
 * inside. Over IPC it answers any message.
 */
import { Socket } from "node:net";
import { monotonicMs } from "../../test/support/system/monotonic.js";

export interface Picks {
  count: number;
  /** -Infinity before the first. */
  lastAtMs: number;
}

const port = Number(process.env.TAPPED_PORT);
const tapped = new WeakSet<Socket>();
let count = 0;
let lastAtMs = -Infinity;

type Method = (this: Socket, ...args: unknown[]) => unknown;

/** Has `before` called with the arguments of each call of a method of sockets. */
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

// Net's own functions hand their arguments on in an array.
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
// The proxy's life is its own.
process.channel?.unref();
