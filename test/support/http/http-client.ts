import { createHash } from "node:crypto";
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { onCleanup } from "../cleanup.js";

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  /** `prod` or `canary`. */
  servedBy: string | undefined;
  body: Buffer;
}

export interface Sending {
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: Buffer | Readable;
  /** Default: a new connection. */
  agent?: Agent;
}

/** An agent with at most `connections` kept-alive connections. */
export function createKeepAliveAgent(connections: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  onCleanup(() => agent.destroy());
  return agent;
}

/** Sends a request and reads its response. @throws if the connection fails or the response is truncated */
export async function send(
  port: number,
  { method, path, headers, body, agent }: Sending = {},
): Promise<Answer> {
  const request = httpRequest({
    host: "127.0.0.1",
    port,
    method: method ?? (body === undefined ? "GET" : "POST"),
    path: path ?? "/",
    headers: headers ?? {},
    agent: agent ?? false,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  if (body === undefined || Buffer.isBuffer(body)) request.end(body);
  else await pipeline(body, request);
  const response = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    servedBy: response.headers["x-served-by"] as string | undefined,
    body: Buffer.concat(chunks),
  };
}

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
