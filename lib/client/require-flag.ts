import type { Flags, Middleware } from "./flags.js";

/** If the flag is off or unknown, the request is answered with 503. */
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
    response.end(body);
  };
}
