/**
 * A stub of Jenkins: `node stub-jenkins.mjs FOLDER` listens on a free port, which it writes to FOLDER/port, and appends each
 * request as a line of JSON to FOLDER/requests. FOLDER/mode is its response: a status and a body, or `hang`.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const folder = process.argv[2];

const server = createServer(async (request, response) => {
  const { method, url } = request;
  const body = (await request.setEncoding("utf8").toArray()).join("");
  const form = Object.fromEntries(
    new URL(`http://jenkins/?${body}`).searchParams,
  );
  appendFileSync(
    join(folder, "requests"),
    `${JSON.stringify({ method, url, form })}\n`,
  );
  const mode = readFileSync(join(folder, "mode"), "utf8").trim();
  if (mode === "hang") return;
  const [, status, text] = /^(\d+) ?([^]*)$/.exec(mode);
  response.writeHead(Number(status), { location: "/login" }).end(`${text}\n`);
});
server.listen(0, "127.0.0.1", () =>
  writeFileSync(join(folder, "port"), String(server.address().port)),
);
