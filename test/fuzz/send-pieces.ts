import type { Socket } from "node:net";

/** Sends latin1 texts, each after the one before has been written. */
export async function sendPieces(
  socket: Socket,
  pieces: readonly string[],
): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    await new Promise((resolve) => socket.write(piece, "latin1", resolve));
  }
}
