/**
 * A stub of the monitor: `node stub-monitor.mjs FOLDER` listens on a free port, which it prints, and serves /api/state and
 * /api/events from FOLDER/state.json and FOLDER/events.json. The rollout is what the stand-in of ansible/rollout.yml has left in
 * FOLDER/rollout; FOLDER/phase says where it is (Promoting, unless told). While FOLDER/down exists it returns 503.
 */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
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

const AT = "2026-01-01T00:00:00.000Z";

/** Healthy once prod has the candidate; the flag is false when it was aborted. */
function readState() {
  const state = read("state.json");
  if (!existsSync(join(folder, "rollout"))) return { ...state, rollout: null };
  const [verb, candidate] = readFileSync(join(folder, "rollout"), "utf8")
    .trim()
    .split(" ");
  const told = readFileSync(join(folder, "phase"), "utf8").trim();
  const prod = join(process.env.HOSTS, "prod/current");
  const isOnProd = existsSync(prod) && readlinkSync(prod) === candidate;
  const going = told === "Promoting" && isOnProd ? "Healthy" : told;
  const phase = verb === "abort" ? "Aborted" : going;
  const value = state.flag.value && phase !== "Aborted";
  return {
    ...state,
    flag: { ...state.flag, value },
    rollout: {
      ...{ id: 1, candidate, stable: "1", phase, step: 0, weight: 2 },
      ...{ stepStartedAt: AT, checked: false, pausedAt: null, promoted: 0 },
      ...{ heldBy: null, heldSince: null, outcome: null, by: "monitor" },
      ...{ reason: state.flag.reason, at: AT, startedAt: AT, harm: 0 },
      spec: { rollout: {}, analysis: {} },
    },
  };
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://monitor");
  const isDown = existsSync(join(folder, "down"));
  const body = isDown
    ? { error: "Redis cannot be reached; try again" }
    : pathname === "/api/state"
      ? readState()
      : readEvents(searchParams);
  response.writeHead(isDown ? 503 : 200, {
    "content-type": "application/json",
  });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
