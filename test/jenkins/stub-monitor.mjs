/**
 * A stub of the monitor: `node stub-monitor.mjs FOLDER` listens on a free port, which it prints, and serves /api/state and
 * /api/events from FOLDER/state.json and FOLDER/events.json. While FOLDER/down exists it returns 503.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const folder = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

/** Like the monitor: newest first, without `after`. */
function readEvents(query) {
  const [kind, after] = [query.get("kind"), query.get("after") ?? "0-0"];
  const isAfter = ({ id }) => Number.parseInt(id) > Number.parseInt(after);
  return read("events.json")
    .filter((event) => (kind === null || event.kind === kind) && isAfter(event))
    .slice(0, Number(query.get("limit")));
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://monitor");
  const isDown = existsSync(join(folder, "down"));
  const body = isDown
    ? { error: "Redis cannot be reached; try again" }
    : pathname === "/api/state"
      ? read("state.json")
      : readEvents(searchParams);
  response.writeHead(isDown ? 503 : 200, {
    "content-type": "application/json",
  });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
