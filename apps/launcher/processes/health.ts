import { acceptsConnections } from "../../../lib/program/accepts-connections.js";
import type { ServiceFile } from "../../../lib/service-file.js";
import type { Ending } from "./child.js";

const NOT_LISTENING =
  "Nothing listens there: let the service listen on the port in PORT and the address in HOST";
const WRONG_PATH =
  "let `health` in serin.yml be a path that answers 2xx, or `none` if there is none";

/** @returns what keeps the service from being ready, and the cure; undefined if it is */
export async function findFault(
  { path, timeoutMs }: ServiceFile["health"],
  origin: string,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(timeoutMs);
  if (path === undefined) {
    const isOpen = await acceptsConnections(new URL(origin), signal);
    return isOpen ? undefined : NOT_LISTENING;
  }
  try {
    const response = await fetch(origin + path, {
      // A kept-alive connection would delay the stop of the service.
      headers: { connection: "close" },
      redirect: "manual",
      signal,
    });
    await response.body?.cancel();
    return response.ok
      ? undefined
      : `It answers ${response.status}: ${WRONG_PATH}`;
  } catch {
    return signal.aborted
      ? `It accepts connections and does not answer within ${timeoutMs / 1000} s: ${WRONG_PATH}`
      : NOT_LISTENING;
  }
}

/** What `run` has to be for a command that ends like this. */
export function cureEnding(ending: Ending): string | undefined {
  if (ending === "ended with status 0")
    return "`run` in serin.yml must stay in the foreground as long as the service runs";
  if (ending === "ended with status 127")
    return "`run` in serin.yml names a program that is neither in PATH nor in node_modules/.bin";
  return undefined;
}
