import * as z from "zod";
import { parseJson } from "../../../lib/redis/stream-entry.js";
import { parseDuration } from "../../../lib/wording/units.js";

const limit = z.union([
  z.literal("ignore").transform(() => null),
  z.string().transform(parseDuration).pipe(z.number().positive()),
]);
const routeRules = z.record(
  z.string().regex(/^\/[^/?#\s]{0,31}$/),
  z.strictObject({ latency: limit }),
);

/** Thresholds in ms by path, null for none. */
export type RouteRules = ReadonlyMap<string, number | null>;

/** Parses `{"/poll": {"latency": "ignore"}, "/report": {"latency": "5s"}}`; undefined for other text. */
export function parseRouteRules(text: string): RouteRules | undefined {
  const parsed = routeRules.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  return new Map(
    Object.entries(parsed.data).map(([path, { latency }]) => [path, latency]),
  );
}

/** The path of a route's rule: `/poll` of `GET /poll`. */
export function pathOf(route: string): string {
  return route.slice(route.indexOf(" ") + 1);
}
