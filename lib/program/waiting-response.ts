import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Calls `leave` when the client's connection ends while a response still waits behind another on it (pipelining). Before
 * its turn, Node 20 does not tell a response of that end by its `close`. May be called beside that.
 */
export function onLeftWaiting(
  request: IncomingMessage,
  response: ServerResponse,
  leave: () => void,
): void {
  if (response.socket !== null) return;
  const { socket } = request;
  // Each that is pipelined has one.
  socket.setMaxListeners(0).once("close", leave);
  response.once("socket", () => socket.off("close", leave));
}
