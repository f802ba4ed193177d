import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onCleanup } from "../cleanup.js";

export interface WebhookCall {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface WebhookReceiver {
  url: URL;
  calls: WebhookCall[];
  /** The responses to the next calls, in order; then 200. */
  answers: (number | "hang" | "reset")[];
  /** The header of the same name. */
  retryAfter: string | undefined;
}

/** Receives the calls of a webhook. It closes after the test. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const calls: WebhookCall[] = [];
  const answers: WebhookReceiver["answers"] = [];
  const receiver: Omit<WebhookReceiver, "url"> = {
    calls,
    answers,
    retryAfter: undefined,
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request;
      calls.push({ method, url, headers, body });
      const answer = answers.shift() ?? 200;
      if (answer === "reset") response.destroy();
      else if (answer !== "hang")
        response
          .writeHead(answer, {
            location: "/elsewhere",
            ...(receiver.retryAfter === undefined
              ? {}
              : { "retry-after": receiver.retryAfter }),
          })
          .end("ok");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onCleanup(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/services/T0/secret-path`);
  return Object.assign(receiver, { url });
}
