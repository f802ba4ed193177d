import { describeOff, FLAG_HEADER } from "../flag/flag-value.js";
import type { Flags, Middleware } from "./flags.js";

/** If the flag is off or unknown, the request is answered with 503, which the proxy does not count as a failure of prod. */
export function requireFlag(
  flags: Pick<Flags, "isOn">,
  name: string,
): Middleware {
  const body = JSON.stringify({ error: "feature disabled", flag: name });
  flags.isOn(name); // It is read from now on, not from the first request.
  return (_request, response, next) => {
    if (flags.isOn(name)) {
      next();
      return;
    }
    response.statusCode = 503;
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.setHeader(FLAG_HEADER, describeOff(name));
    response.end(body);
  };
}
