import type { ClientRequest } from "node:http";
import { createRequire } from "node:module";
import { Stream } from "node:stream";
import util from "node:util";
import type HttpProxy from "http-proxy";
import { ConnectionPool } from "./connection-pool.js";
import { connectUpstream } from "./upstream-socket.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "./engine.js";
import { followAttempt } from "./follow-attempt.js";
import type { Upstream } from "./upstreams.js";

interface Route {
  proxy: HttpProxy;
  pool: ConnectionPool;
}

/**
 * Forwards by the package http-proxy, 1.18.1, unmaintained since 2020. Its known faults are kept from having any effect:
 *
 * - Of its passes only `stream` runs: `deleteLength` makes a chunked DELETE smuggle its body (CVE-2026-29057).
 * - Responses are relayed from raw headers, and aborts and cut responses followed, by follow-attempt.ts.
 * - It normalises paths (`//` becomes `/`): the path is put back as it came before the head is written.
 * - A body is piped only once the connection stands, so that a request that never left can go elsewhere whole.
 * - Headers that crash it or mislead upstreams (`Trailer`, `Expect`, hop-by-hop ones) are gone before it sees them.
 */
export class HttpProxyEngine implements Engine {
  readonly #httpProxy = loadHttpProxy();
  readonly #limits: UpstreamLimits;
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
    try {
      route.proxy.web(attempt.request, attempt.response);
      if (this.#sent === undefined)
        throw new Error("http-proxy did not send the request");
      return this.#sent;
    } finally {
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
      connect: () => connectUpstream({ host, port }, this.#limits.connectMs),
      mustBeFresh: () => this.#current?.freshConnection === true,
      timeoutMs: this.#limits.responseMs,
      maxHeadBytes: this.#limits.maxHeaderBytes,
    });
    const proxy = this.#httpProxy.createProxyServer({
      target: { protocol: "http:", host, port },
      agent: pool,
      toProxy: true,
      selfHandleResponse: true,
      buffer: Object.assign(new Stream(), {
        pipe: (request: ClientRequest) => this.#send(request),
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
  #send(upstreamRequest: ClientRequest): ClientRequest {
    const attempt = this.#current;
    if (attempt === undefined)
      throw new Error("http-proxy sent a request that nobody asked for");
    upstreamRequest.path = attempt.request.url ?? "/";
    // What http.request's option of that name sets; http-proxy has no way to give it.
    (upstreamRequest as { maxHeaderSize?: number }).maxHeaderSize =
      this.#limits.maxHeaderBytes;
    this.#sent = followAttempt(upstreamRequest, attempt);
    if (!attempt.hasBody) return upstreamRequest.end();
    upstreamRequest.once("socket", (socket) => {
      const pipe = () => {
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

/** http-proxy takes the deprecated util._extend when it is loaded, and with it the warning DEP0060: give it its successor. */
function loadHttpProxy(): typeof HttpProxy {
  const deprecated = util as { _extend?: unknown };
  const original = deprecated._extend;
  deprecated._extend = Object.assign;
  try {
    return createRequire(import.meta.url)("http-proxy") as typeof HttpProxy;
  } finally {
    deprecated._extend = original;
  }
}

function keepOnlyStreamPass(proxy: HttpProxy): void {
  const passes = proxy as unknown as { webPasses: { name: string }[] };
  passes.webPasses = passes.webPasses.filter(({ name }) => name === "stream");
}
