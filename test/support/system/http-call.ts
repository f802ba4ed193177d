import { request, type Agent, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

export interface Call {
  port: number;
  path: string;
  method?: string;
  body?: string;
  /** After which it gives up. */
  patienceMs?: number;
  /** Default: a new connection. */
  agent?: Agent;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The proxy's `x-served-by`. */
  servedBy: string | null;
  body: string;
}

/** Sends a request to loopback. @throws without a complete response */
export async function call(options: Call): Promise<Answer> {
  const { port, path, method = "GET", body, agent = false } = options;
  const { patienceMs } = options;
  const signal =
    patienceMs === undefined ? {} : { signal: AbortSignal.timeout(patienceMs) };
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, path, method, agent, ...signal },
      (response) => {
        const { statusCode = 0, headers } = response;
        const servedBy = headers["x-served-by"];
        text(response).then(
          (body) =>
            resolve({
              status: statusCode,
              headers,
              servedBy: typeof servedBy === "string" ? servedBy : null,
              body,
            }),
          reject,
        );
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** Sends a request `count` times in parallel. @throws if one has no complete response */
export async function callInParallel(
  count: number,
  options: Call,
): Promise<Answer[]> {
  return await Promise.all(Array.from({ length: count }, () => call(options)));
}

/** @throws unless the response is a 2xx with JSON */
export async function callForJson(options: Call): Promise<unknown> {
  const { status, body } = await call(options);
  if (status < 200 || status > 299)
    throw new Error(
      `${options.method ?? "GET"} ${options.path}: ${status} ${body}`,
    );
  return JSON.parse(body);
}
