import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { hostnameOf } from "../../../lib/program/foreign-hosts.js";
import { isLoopback } from "../../../lib/settings/values.js";

/** A request that cannot be served, with the message for the client. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Requires `Authorization: Bearer …` if a token is set. */
export function requireToken(adminToken: string | undefined): RequestHandler {
  return (request, response, next) => {
    const [, presented = ""] =
      /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (adminToken === undefined || isSame(presented, adminToken)) {
      next();
      return;
    }
    response.set("www-authenticate", "Bearer");
    throw new HttpError(
      401,
      "send the admin token: Authorization: Bearer <ADMIN_TOKEN>",
    );
  };
}

/**
 * Rejects requests that a browser sends for another site's page. Without a token, listening on loopback is not enough:
 * such a page can post here and, with DNS rebinding, read.
 */
export function refuseForeignPages(
  adminToken: string | undefined,
): RequestHandler {
  return (request, _response, next) => {
    const { host, origin } = request.headers;
    if (adminToken === undefined && !isLoopback(hostnameOf(host))) {
      throw new HttpError(
        403,
        "without ADMIN_TOKEN only requests to a loopback name are answered",
      );
    }
    if (
      request.method !== "GET" &&
      origin !== undefined &&
      origin !== `http://${host ?? ""}` &&
      origin !== `https://${host ?? ""}`
    ) {
      throw new HttpError(403, "requests from another site’s page are refused");
    }
    next();
  };
}

/** In constant time, for any lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
