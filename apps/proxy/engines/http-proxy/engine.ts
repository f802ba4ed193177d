import type { ClientRequest, IncomingHttpHeaders } from "node:http";
import { Stream } from "node:stream";
import util from "node:util";
import type HttpProxy from "http-proxy";
import { ConnectionPool } from "./agent.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "../engine.js";
import { followAttempt } from "../follow-attempt.js";
import { withLengthLast } from "../../http/headers.js";
import { headersWithHost } from "../request-head.js";
import type { Upstream } from "../upstreams.js";

const httpProxy = await loadHttpProxy();

interface Route {
  proxy: HttpProxy;
  pool: ConnectionPool;
}

/**
 * Forwards with the package http-proxy 1.18.1, unmaintained since 2020. Workarounds for its known faults:
 *
 * - Only its pass `stream` runs: `deleteLength` makes a chunked DELETE smuggle its body (CVE-2026-29057).
 * - follow-attempt.ts relays responses from raw headers, and handles aborts and cut responses.
 * - http-proxy normalises paths (`//` becomes `/`), so the original path is put back.
 * - A body is piped only after the connection is established, so that an unsent request can go elsewhere whole.
 * - Headers that crash it or mislead upstreams (`Trailer`, `Expect`, hop-by-hop ones) are removed before.
 */
export class HttpProxyEngine implements Engine {
  readonly #limits: UpstreamLimits;
  readonly #routes = new Map<Upstream, Route>();
  /** The attempt for which http-proxy is being called: it calls back synchronously, without naming it. */
  #current: Attempt | undefined;
  /** The request that it sent in that call. */
  #sent: Ongoing | undefined;

  constructor(limits: UpstreamLimits) {
    this.#limits = limits;
  }

  forward(attempt: Attempt): Ongoing {
    const route =
      this.#routes.get(attempt.upstream) ?? this.#createRoute(attempt.upstream);
    this.#current = attempt;
    const { request, response } = attempt;
    const received = request.headers;
    try {
      route.pool.mustBeFresh = attempt.freshConnection;
      request.headers = headersFor(attempt);
      route.proxy.web(request, response);
      if (this.#sent === undefined)
        throw new Error("http-proxy did not send the request");
      return this.#sent;
    } finally {
      request.headers = received;
      this.#current = undefined;
      this.#sent = undefined;
    }
  }

  close(): void {
    for (const { pool } of this.#routes.values()) pool.close();
  }

  /** One ProxyServer for each upstream, with its target as an object: this saves parsing a URL for each request. */
  #createRoute(upstream: Upstream): Route {
    const { host, port } = upstream;
    const pool = new ConnectionPool(upstream, this.#limits);
    const proxy = httpProxy.createProxyServer({
      target: { protocol: "http:", host, port },
      agent: pool,
      toProxy: true,
      selfHandleResponse: true,
      buffer: Object.assign(new Stream(), {
        pipe: (request: ClientRequest) => this.#send(request, pool),
      }),
    });
    keepOnlyStreamPass(proxy);
    // Without a listener http-proxy would throw. The attempt gets every failure from its own ClientRequest.
    proxy.on("error", () => undefined);
    const route = { proxy, pool };
    this.#routes.set(upstream, route);
    return route;
  }

  /** Called by http-proxy, as its `buffer`, to send the body of the request that it has created. */
  #send(
    upstreamRequest: ClientRequest,
    { last: connection }: ConnectionPool,
  ): ClientRequest {
    const attempt = this.#current;
    if (attempt === undefined || connection === undefined)
      throw new Error("http-proxy sent a request outside an attempt");
    upstreamRequest.path = attempt.request.url ?? "/";
    // No limit: Node would hide the headers beyond it, but still honour them in the framing. maxHeaderSize bounds them.
    upstreamRequest.maxHeadersCount = 0;
    // Set by http.request's option of that name, which http-proxy cannot pass.
    (upstreamRequest as { maxHeaderSize?: number }).maxHeaderSize =
      this.#limits.maxHeaderBytes;
    const followed = followAttempt(upstreamRequest, attempt, () =>
      connection.readFraming(),
    );
    connection.onSilent = followed.onTimeout;
    this.#sent = followed;
    if (!attempt.hasBody) return upstreamRequest.end();
    upstreamRequest.once("socket", (socket) => {
      const pipe = () => {
        // Send the head without waiting for a slow body.
        if (attempt.request.readableLength === 0)
          upstreamRequest.flushHeaders();
        attempt.request.pipe(upstreamRequest);
        // Read the rest of the body, so that the client's next request can be read.
        upstreamRequest.once("close", () => attempt.request.resume());
      };
      if (socket.connecting) socket.once("connect", pipe);
      else pipe();
    });
    return upstreamRequest;
  }
}

/** Paths that http-proxy's joining would change. */
const UNJOINED = /\/\/|https?:\//;

/**
 * An attempt's headers for http.request. It writes a raw array at once, together with http-proxy's path. If that differs from
 * the original path, they are passed as an object, which is written later and leaves time to put the path back.
 */
function headersFor(attempt: Attempt): IncomingHttpHeaders {
  const raw = withLengthLast(headersWithHost(attempt));
  const { url = "/" } = attempt.request;
  // http.request takes a raw array, but http-proxy's types do not.
  if (!UNJOINED.test(url)) return raw as unknown as IncomingHttpHeaders;
  // No prototype: its properties are names that a client may send.
  const headers = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i + 1 < raw.length; i += 2)
    (headers[(raw[i] ?? "").toLowerCase()] ??= []).push(raw[i + 1] ?? "");
  return headers;
}

/**
 * http-proxy copies headers with the deprecated util._extend, which it reads when it is loaded (warning DEP0060). It gets a
 * replacement that leaves our headers as they are.
 */
async function loadHttpProxy(): Promise<typeof HttpProxy> {
  const deprecated = util as { _extend?: unknown };
  const original = deprecated._extend;
  deprecated._extend = (target: object, source: object) =>
    Array.isArray(source) || Object.getPrototypeOf(source) === null
      ? source
      : Object.assign(target, source);
  try {
    return (await import("http-proxy")).default;
  } finally {
    deprecated._extend = original;
  }
}

function keepOnlyStreamPass(proxy: HttpProxy): void {
  const passes = proxy as unknown as { webPasses: { name: string }[] };
  passes.webPasses = passes.webPasses.filter(({ name }) => name === "stream");
}
