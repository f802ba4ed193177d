import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Calls `leave` when the client's connection ends while a pipelined response waits for its turn. Node 20 does not emit `close`
 * on such a response; where Node does, `leave` may be called twice.
 */
export function onLeftWaiting(
  request: IncomingMessage,
  response: ServerResponse,
  leave: () => void,
): void {
  if (response.socket !== null) return;
  const { socket } = request;
  // One listener per pipelined response.
  socket.setMaxListeners(0).once("close", leave);
  response.once("socket", () => socket.off("close", leave));
}
