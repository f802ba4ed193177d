import type { IncomingHttpHeaders } from "node:http";
import { cookieValue } from "../http/cookies.js";

/** Names of a header, in lower case, and of a cookie; empty for none. */
export interface OptInNames {
  header: string;
  cookie: string;
}

/**
 * Finds the requests that ask for the canary: their header or cookie has the value `1` or `true`. Anybody may send it, so it opens
 * nothing that is closed. Other values, and a header that is sent twice, ask for nothing.
 */
export class OptIn {
  readonly #names: OptInNames;

  constructor(names: OptInNames) {
    this.#names = names;
  }

  isIn(headers: IncomingHttpHeaders): boolean {
    const { header, cookie } = this.#names;
    return (
      (header !== "" && isYes(headers[header])) ||
      (cookie !== "" && isYes(cookieValue(headers.cookie, cookie)))
    );
  }
}

function isYes(value: unknown): boolean {
  return value === "1" || value === "true";
}
