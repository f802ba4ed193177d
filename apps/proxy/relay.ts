import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { clientResponseHeaders } from "./headers.js";

/**
 * Sends an upstream's response on, with back-pressure. If the upstream cuts it short, the client's connection is cut as
 * well, so that half a body never looks whole.
 *
 * @throws when the upstream's head cannot be sent on (characters that HTTP forbids); nothing has been sent then.
 */
export function relayResponse(
  upstream: IncomingMessage,
  response: ServerResponse,
  servedBy: string,
): void {
  const headers = clientResponseHeaders(upstream.rawHeaders, servedBy);
  response.writeHead(
    upstream.statusCode ?? 502,
    upstream.statusMessage,
    headers,
  );

  let begun = false;
  upstream.on("data", (chunk: Buffer) => {
    begun = true;
    if (!response.write(chunk)) upstream.pause();
  });
  response.on("drain", () => upstream.resume());
  upstream.on("end", () => {
    begun = true;
    response.end();
  });
  upstream.on("error", () => response.destroy());
  // A body's first bytes usually come with the head, and then go out with it. If not, the head does not wait for them.
  setImmediate(() => {
    if (!begun && !response.destroyed) response.flushHeaders();
  });
}

/** Sends 102 and 103 on; 100 has been answered by our own server. */
export function relayInformation(
  upstream: ClientRequest,
  response: ServerResponse,
): void {
  upstream.on("information", ({ statusCode, headers }) => {
    if (response.headersSent || response.destroyed) return;
    if (statusCode === 102) response.writeProcessing();
    if (statusCode === 103 && headers.link !== undefined) {
      const { link, ...others } = headers;
      response.writeEarlyHints({
        ...(others as Record<string, string | string[]>),
        link,
      });
    }
  });
}
