import type { ClientRequest, IncomingHttpHeaders } from "node:http";
import { Stream } from "node:stream";
import util from "node:util";
import type HttpProxy from "http-proxy";
import { ConnectionPool } from "./agent.js";
import { connectUpstream, READ_BUFFER_BYTES } from "../upstream-socket.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "../engine.js";
import { followAttempt } from "../follow-attempt.js";
import { withLengthLast } from "../../http/headers.js";
import type { PooledConnection } from "./connection.js";
import { headersWithHost } from "../request-head.js";
import type { Upstream } from "../upstreams.js";

const httpProxy = await loadHttpProxy();

interface Route {
  proxy: HttpProxy;
  pool: ConnectionPool;
}

/**
 * Forwards by the package http-proxy, 1.18.1, unmaintained since 2020. Its known faults are kept from having any effect:
 *
 * - Of its passes only `stream` runs: `deleteLength` makes a chunked DELETE smuggle its body (CVE-2026-29057).
 * - Responses are relayed from raw headers, and aborts and cut responses followed, by follow-attempt.ts.
 * - It normalises paths (`//` becomes `/`): the path goes as it came.
 * - A body is piped only once the connection stands, so that a request that never left can go elsewhere whole.
 * - Headers that crash it or mislead upstreams (`Trailer`, `Expect`, hop-by-hop ones) are gone before it sees them.
 */
export class HttpProxyEngine implements Engine {
  readonly #limits: UpstreamLimits;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #routes = new Map<Upstream, Route>();
  /** Whom http-proxy is being called for: it calls back, synchronously, without saying so. */
  #current: Attempt | undefined;
  /** What it then sent. */
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

  /** One ProxyServer for each upstream with its target as an object: http-proxy then parses no URL per request. */
  #createRoute(upstream: Upstream): Route {
    const { host, port } = upstream;
    const pool = new ConnectionPool({
      connect: (onread) =>
        connectUpstream({ host, port }, this.#limits.connectMs, onread),
      buffer: this.#buffer,
      mustBeFresh: () => this.#current?.freshConnection === true,
      timeoutMs: this.#limits.responseMs,
    });
    const proxy = httpProxy.createProxyServer({
      target: { protocol: "http:", host, port },
      agent: pool,
      toProxy: true,
      selfHandleResponse: true,
      buffer: Object.assign(new Stream(), {
        pipe: (request: ClientRequest) => this.#send(request, pool.takeLast()),
      }),
    });
    keepOnlyStreamPass(proxy);
    // The attempt hears of every failure from its own ClientRequest; without a listener http-proxy would throw them.
    proxy.on("error", () => undefined);
    const route = { proxy, pool };
    this.#routes.set(upstream, route);
    return route;
  }

  /** Called by http-proxy, as its `buffer`, to send the body of the request that it has just created. */
  #send(
    upstreamRequest: ClientRequest,
    connection: PooledConnection,
  ): ClientRequest {
    const attempt = this.#current;
    if (attempt === undefined)
      throw new Error("http-proxy sent a request that nobody asked for");
    upstreamRequest.path = attempt.request.url ?? "/";
    // None may be left out: Node would honour it in the framing and not show it. Their size is limited all the same.
    upstreamRequest.maxHeadersCount = 0;
    // What http.request's option of that name sets; http-proxy has no way to give it.
    (upstreamRequest as { maxHeaderSize?: number }).maxHeaderSize =
      this.#limits.maxHeaderBytes;
    const followed = followAttempt(upstreamRequest, attempt, connection);
    connection.onResponseTimeout = followed.onTimeout;
    this.#sent = followed;
    if (!attempt.hasBody) return upstreamRequest.end();
    upstreamRequest.once("socket", (socket) => {
      const pipe = () => {
        // The head does not wait for a body that is slow to come.
        if (attempt.request.readableLength === 0)
          upstreamRequest.flushHeaders();
        attempt.request.pipe(upstreamRequest);
        // What the upstream left of it is read to its end: the client's next request comes behind it.
        upstreamRequest.once("close", () => attempt.request.resume());
      };
      if (socket.connecting) socket.once("connect", pipe);
      else pipe();
    });
    return upstreamRequest;
  }
}

/** What http-proxy's joining of paths would change. */
const UNJOINED = /\/\/|https?:\//;

/**
 * An attempt's headers as http-proxy is to hand them to http.request: as they are, which are written at once, with the path
 * as http-proxy has it by then; or, where that is not the path as it came, as an object, which leaves time to put it back.
 */
function headersFor(attempt: Attempt): IncomingHttpHeaders {
  const raw = withLengthLast(headersWithHost(attempt));
  const { url = "/" } = attempt.request;
  return UNJOINED.test(url) ? toObject(raw) : asHeaders(raw);
}

function toObject(raw: readonly string[]): IncomingHttpHeaders {
  // Without a prototype, whose properties are names that anybody may send.
  const headers = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i + 1 < raw.length; i += 2)
    (headers[(raw[i] ?? "").toLowerCase()] ??= []).push(raw[i + 1] ?? "");
  return headers;
}

/** http.request takes them, which http-proxy has no type for. */
function asHeaders(raw: readonly string[]): IncomingHttpHeaders {
  return raw as unknown as IncomingHttpHeaders;
}

/**
 * http-proxy copies headers by the deprecated util._extend, which it takes when it is loaded, and with it the warning
 * DEP0060: it is given a successor, which leaves ours as they are.
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
