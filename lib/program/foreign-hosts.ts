import type { RequestHandler } from "express";
import { isIP } from "node:net";
import { isLoopback } from "../settings/values.js";

/**
 * Rejects requests whose Host is neither an address, a loopback name nor `own`: with DNS rebinding, a page of another site
 * could read what is served here under a name of its own. Browsers always send a Host; health checks with HTTP/1.0 may not.
 *
 * @param own the name or address that the server listens on
 */
export function refuseForeignHosts(own: string): RequestHandler {
  return ({ headers: { host } }, response, next) => {
    if (host === undefined || isOwn(hostnameOf(host), own)) next();
    else
      response.status(403).json({
        error:
          "ask for this host by its address, or by the name that it is set to listen on",
      });
  };
}

/**
 * The host of a Host header in lower case, without port and brackets; empty if no browser would send it so. A parser of URLs
 * would also read `evil@localhost`, `127.1` or `2130706433` as loopback.
 */
export function hostnameOf(host = ""): string {
  const [, ipv6, name = ""] =
    /^(?:\[([\da-f:]+)\]|([a-z\d.-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  return (ipv6 ?? name).toLowerCase();
}

function isOwn(name: string, own: string): boolean {
  return isIP(name) !== 0 || isLoopback(name) || name === own.toLowerCase();
}
